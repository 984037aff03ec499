/** Header sections as node:http2 takes them: a name once, with all of its values. Pure. */

/** By lower-case name; `:status` is a number. */
export type FieldSection = Record<string, string | string[] | number>;

/**
 * Fields that a message has once (RFC 9110 §5.3): two lines of one must not be joined. `"a", "b"` is no ETag, and
 * `/x, /y` a Location that neither line had.
 */
const SINGLETONS = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'server',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
]);

/** Lists of which node:http2 takes one line. They are joined, which RFC 9110 §5.3 lets any recipient do. */
const JOINED = new Set(['content-encoding', 'content-language', 'if-match', 'if-none-match']);

/** Without a prototype: `constructor` is a good name of a field. */
export function emptySection(): FieldSection {
  return Object.create(null) as FieldSection;
}

/**
 * Adds a field line to a section. Of a singleton, equal values are sent once.
 * @param takesTwo whether two values of a singleton may be sent. Otherwise the first is, as RFC 9111 §4.2.1 has caches do
 */
export function addField(section: FieldSection, name: string, value: string, takesTwo: boolean): void {
  const before = section[name];
  if (before === undefined) {
    section[name] = value;
  } else if (SINGLETONS.has(name)) {
    if (before === value || !takesTwo) return;
    const values = Array.isArray(before) ? before : [String(before)];
    if (!values.includes(value)) section[name] = [...values, value];
  } else if (JOINED.has(name)) {
    section[name] = `${String(before)}, ${value}`;
  } else if (Array.isArray(before)) {
    before.push(value);
  } else {
    section[name] = [String(before), value];
  }
}

/**
 * Adds a field line to a section with one line for each name, as requests to backends and their trailers have it. Two
 * values that differ are joined, a singleton's too: it is no valid value then, and a backend does not take either for it.
 */
export function joinField(section: Record<string, string>, name: string, value: string): void {
  const before = section[name];
  if (before === undefined) section[name] = value;
  else if (before !== value || !SINGLETONS.has(name)) {
    section[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
}
