/** A path with its bytes past ASCII escaped, as URIs have them (RFC 3986 §2.1). @param path latin1 */
export function inAscii(path: string): string {
  return path.replaceAll(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}
