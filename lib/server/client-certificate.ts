import type { TLSSocket } from 'node:tls';
import type { TlsConfig } from '../config/config.ts';
import { clientCertificateFields } from '../core/http/client-certificate.ts';

/**
 * The fields that tell backends about a client's certificate, names and values in turn. Empty where clients are not
 * asked for one; null for a client that must be refused. Call it after the handshake, which may be that of an earlier,
 * resumed session.
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
