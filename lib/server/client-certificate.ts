import type { TLSSocket } from 'node:tls';
import type { TlsConfig } from '../config/config.ts';
import { clientCertificateFields } from '../core/http/client-certificate.ts';

/**
 * What backends are to be told of a client's certificate: fields, names and values in turn; none where clients are not
 * asked for one. Null for a client that must not be let in. The handshake is done, perhaps in an earlier session.
 */
export function clientFieldsOf(socket: TLSSocket, tls: TlsConfig): readonly string[] | null {
  if (tls.clientCa.length === 0) return [];
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return tls.clientCert === 'optional' ? clientCertificateFields(null, false) : null;
  }
  if (!socket.authorized) return null;
  const { subject, issuer, serialNumber, fingerprint256 } = certificate;
  const shown = { subject, issuer, serialNumber, fingerprint256, pem: certificate.toString() };
  return clientCertificateFields(shown, tls.clientCertPem);
}
