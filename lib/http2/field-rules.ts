/** Which fields HTTP/2 allows in a message (RFC 9113 §8.2, §8.3). */

/** Names that were found valid, so that most names are looked up, not searched. */
const known = new Set<string>();
/** How many are remembered. Clients send few different ones. */
const MAX_KNOWN = 1_000;
/** Longer names are not remembered. */
const MAX_LENGTH = 64;

/** RFC 9113 §8.2.1: no controls, spaces, capitals, colons, or bytes from 127 on. */
const NAME = /^[!-9;-@[-~]+$/;
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;

/** Fields about a connection in HTTP/1.1: not allowed in HTTP/2 (RFC 9113 §8.2.2). */
const CONNECTION_SPECIFIC = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/** Whether a field that is no pseudo-header field is well-formed. `te` may be `trailers` only. */
export function isField(name: string, value: string): boolean {
  if (BAD_VALUE.test(value)) return false;
  if (known.has(name)) return true;
  if (name === 'te') return value.toLowerCase() === 'trailers';
  if (!NAME.test(name) || CONNECTION_SPECIFIC.has(name)) return false;
  if (name.length <= MAX_LENGTH && known.size < MAX_KNOWN) known.add(name);
  return true;
}

/** Whether the value of a pseudo-header field is well-formed. */
export function isPseudoValue(value: string): boolean {
  return !BAD_VALUE.test(value);
}

/** Whether all of the fields may be trailers: pseudo-header fields may not (§8.1). */
export function areTrailers(fields: readonly string[]): boolean {
  for (let i = 0; i < fields.length; i += 2) if (!isField(fields[i] ?? '', fields[i + 1] ?? '')) return false;
  return true;
}
