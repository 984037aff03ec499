/** The maximum number of bytes that `writeInteger` writes. */
export const MAX_INTEGER_BYTES = 6;

/**
 * Writes an integer (RFC 7541 §5.1).
 * @param flags the first byte's bits before the integer
 * @param mask the first byte's bits of the integer, all ones
 * @param value less than 2^31
 * @returns the position after it
 */
export function writeInteger(into: Uint8Array, begin: number, flags: number, mask: number, value: number): number {
  let at = begin;
  if (value < mask) {
    into[at++] = flags | value;
    return at;
  }
  into[at++] = flags | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>= 7) into[at++] = (rest & 0x7f) | 0x80;
  into[at++] = rest;
  return at;
}
