import { hopByHop } from '../core/hop-by-hop.ts';

/** The header section of an answer, as node:http2 takes it. */
export type AnswerFields = Record<string, string | string[] | number>;

/** Fields of which node:http2 sends one only. They are joined, which RFC 9110 §5.3 lets any recipient do. */
const SINGLE = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'age',
  'content-encoding',
  'content-language',
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
  'last-modified',
  'location',
  'max-forwards',
  'referer',
  'retry-after',
  'tk',
  'user-agent',
  'x-content-type-options',
  'access-control-request-method',
  'authorization',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'proxy-authorization',
  'range',
  'upgrade-insecure-requests',
]);

/**
 * An answer's fields for a stream: less those about an HTTP/1.1 connection and its framing (RFC 9113 §8.2.2).
 * @param fields names in lower case and values in turn
 */
export function answerFields(status: number, fields: readonly string[]): AnswerFields {
  const result = emptySection();
  result[':status'] = status;
  const dropped = hopByHop(fields);
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    if (dropped.has(name) || name === 'transfer-encoding') continue;
    add(result, name, value);
  }
  return result;
}

/** A trailer section for a stream. */
export function trailerSection(fields: readonly string[]): AnswerFields {
  const result = emptySection();
  for (let i = 0; i < fields.length; i += 2) add(result, fields[i] ?? '', fields[i + 1] ?? '');
  return result;
}

/** Without a prototype: `constructor` is a good name of a field. */
function emptySection(): AnswerFields {
  return Object.create(null) as AnswerFields;
}

function add(section: AnswerFields, name: string, value: string): void {
  const before = section[name];
  if (before === undefined) section[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else section[name] = SINGLE.has(name) ? `${before}, ${value}` : [String(before), value];
}
