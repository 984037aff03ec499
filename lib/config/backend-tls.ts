import type { BackendTls } from '../core/backend-tls.ts';
import type { Faults } from './faults.ts';
import { readCertificates } from './pem.ts';
import type { ServerSettings } from './schema.ts';

/** What backends' certificates are checked with: files read as root, when the configuration is loaded; null with faults added. */
export function readBackendTls({ backendTls }: ServerSettings, faults: Faults): BackendTls | null {
  const { verify, ca: files } = backendTls;
  if (!verify && files.length > 0) {
    faults.add('server.backendTls.ca', 'is of no use while server.backendTls.verify is false');
    return null;
  }
  const ca = readCertificates(files, 'server.backendTls.ca', faults);
  return ca && { verify, ca };
}
