/** Fields of one name in a header section. Pure. */

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

/** Whether a message has the field once. @param name in lower case */
export function isSingleton(name: string): boolean {
  return SINGLETONS.has(name);
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
