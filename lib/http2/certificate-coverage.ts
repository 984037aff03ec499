import { isIP, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Hosts whose answer is remembered, for one connection. */
const MAX_KNOWN = 100;

/**
 * Which hosts a connection may be asked for. A client may send requests for other hosts by a connection it has, as long
 * as the certificate is good for them (RFC 9113 §9.1.1); for others it is told to make a new one: 421 (RFC 9110
 * §15.5.20). A new connection would be the same for the host that it named in the TLS handshake, and for every host
 * where it named none (a load balancer without SNI): these are served.
 * @returns a question, for a host in lower case and without port
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
  // A session that is resumed: its client has seen the certificate, and knows what that is good for.
  if (certificate === undefined) return true;
  const address = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return (isIP(address) === 0 ? certificate.checkHost(hostname) : certificate.checkIP(address)) !== undefined;
}
