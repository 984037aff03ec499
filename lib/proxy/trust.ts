import { BlockList, isIP } from 'node:net';

/** The meaning of `private`: loopback, RFC 1918, link-local and unique-local addresses. */
const PRIVATE = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fe80::/10',
  'fc00::/7',
];

/** Maximum number of cached addresses. Every connection is checked, and load balancers have few addresses. */
const MAX_KNOWN = 1_000;

/**
 * Compiles a list of trusted proxies into a predicate.
 * @param entries addresses, CIDR ranges, or the word `private`; checked when the configuration was loaded
 */
export function trust(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of entries.flatMap((item) => (item === 'private' ? PRIVATE : [item]))) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  const isListed = (address: string): boolean => {
    const family = isIP(address);
    // The peer of a unix socket has no address: the mode of the socket file decides who may connect.
    if (family === 0) return address === '';
    return list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
  const known = new Map<string, boolean>();
  return (address) => {
    let isTrusted = known.get(address);
    if (isTrusted !== undefined) return isTrusted;
    if (known.size >= MAX_KNOWN) known.clear();
    isTrusted = isListed(address);
    known.set(address, isTrusted);
    return isTrusted;
  };
}
