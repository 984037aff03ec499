/** The key of the last address: requests of one connection mostly have the same client. */
export class LastClientKey {
  #address = '';
  #key = '';

  /** As `clientKey` returns it. */
  of(address: string): string {
    if (address !== this.#address) {
      this.#address = address;
      this.#key = clientKey(address);
    }
    return this.#key;
  }
}

/**
 * Identifies a client for limits: an IPv4 address, or the first 64 bits of an IPv6 address, because one customer has
 * at least as many (RFC 6177).
 * @param address as in logs; other texts are returned unchanged
 */
export function clientKey(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    // The last group may be an IPv4 address, which is two.
    const missing = 8 - groups.length - after.length - (tail.includes('.') ? 1 : 0);
    for (let i = 0; i < missing; i++) groups.push('0');
    groups.push(...after);
  }
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
