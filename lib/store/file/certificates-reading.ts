import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { mayBeServerName } from '../../core/routing/server-name.ts';
import { readOwn } from '../../files/read.ts';
import { faulty, type StoredCertificate, storedPair, MAX_PEM, NO_CERTIFICATE } from '../certificates.ts';
import type { CertificateEntry } from './certificates.ts';
import { signatureOf, whyUnreadable } from './routes-reading.ts';

/** Files `<host>.crt` and `<host>.key` in a folder; a wildcard is written `*.example.com.crt`. */

/** Hosts of one folder at most. */
export const MAX_HOSTS = 10_000;

/** The hosts that a folder has a certificate or a key for, in order; none where there is no folder. */
export async function hostsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const hosts = new Set(names.filter((name) => /\.(?:crt|key)$/.test(name)).map((name) => name.slice(0, -4)));
  return [...hosts].toSorted();
}

/** What the two files of a host are. Never rejects. */
export async function readStored(folder: string, host: string): Promise<StoredCertificate> {
  const [certificate, key] = await Promise.all([readPart(folder, host, 'crt'), readPart(folder, host, 'key')]);
  for (const part of [certificate, key]) if (typeof part === 'object') return faulty('unreadable', part.fault);
  return certificate === '' && key === '' ? NO_CERTIFICATE : storedPair(certificate, key);
}

/** All that handshakes could ask for. Never rejects. */
export async function readCertificatesIn(folder: string): Promise<readonly CertificateEntry[]> {
  const entries: CertificateEntry[] = [];
  for (const host of (await hostsIn(folder)).filter(mayBeServerName).slice(0, MAX_HOSTS)) {
    entries.push([host, await readStored(folder, host)]);
    // Files are opened without waiting: the process may have something else to do between two of them.
    await nextTurn();
  }
  return entries;
}

/** Changes whenever a file of the folder does; links are followed. Never rejects. */
export async function signatureOfFolder(folder: string): Promise<string> {
  const parts: string[] = [];
  for (const host of (await hostsIn(folder)).slice(0, MAX_HOSTS)) {
    for (const end of ['crt', 'key']) parts.push(await signatureOf(join(folder, `${host}.${end}`)));
    parts.push(host);
  }
  return parts.join('\n');
}

/** Empty where there is no such file. */
async function readPart(folder: string, host: string, end: string): Promise<string | { readonly fault: string }> {
  const path = join(folder, `${host}.${end}`);
  try {
    const status = await stat(path);
    if (!status.isFile()) return { fault: `has a .${end} that is not a file` };
    // Without looking into it: it is none.
    if (status.size > MAX_PEM) return { fault: 'is too long' };
    return readOwn(path, MAX_PEM).toString();
  } catch (error) {
    const why = whyUnreadable(error);
    return why === 'does not exist' ? '' : { fault: `has a .${end} that ${why}` };
  }
}
