import { isIP, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** How many hosts are remembered per connection. */
const MAX_KNOWN = 100;

/**
 * Which hosts a client may request on a connection. HTTP/2 allows requests for other hosts than the one in the
 * handshake if the certificate covers them (RFC 9113 §9.1.1); for others the router responds with 421, and the client
 * makes a new connection (RFC 9110 §15.5.20). A new connection would get the same certificate for the host that the
 * handshake named, and for any host when it named none (a load balancer without SNI): these requests are served.
 * @returns a predicate for a host in lower case, without its port
 */
export function coverageOf(socket: Socket): (hostname: string) => boolean {
  if (!(socket instanceof TLSSocket)) return () => true;
  const named = (socket as { readonly servername?: string | false | null }).servername || null;
  if (named === null) return () => true;
  const known = new Map<string, boolean>();
  return (hostname) => {
    if (hostname === named.toLowerCase()) return true;
    let isCovered = known.get(hostname);
    if (isCovered !== undefined) return isCovered;
    if (known.size >= MAX_KNOWN) known.clear();
    isCovered = isNamed(socket, hostname);
    known.set(hostname, isCovered);
    return isCovered;
  };
}

function isNamed(socket: TLSSocket, hostname: string): boolean {
  const certificate = socket.getX509Certificate();
  // In a resumed session the certificate is not known here. The client has seen it in the first handshake.
  if (certificate === undefined) return true;
  const address = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return (isIP(address) === 0 ? certificate.checkHost(hostname) : certificate.checkIP(address)) !== undefined;
}
