import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { mayBeServerName } from '../../core/routing/server-name.ts';
import { readOwn } from '../../files/read.ts';
import { faulty, type StoredCertificate, storedPair, MAX_PEM, NO_CERTIFICATE } from '../certificates.ts';
import type { CertificateEntry } from './certificates.ts';
import { signatureOf, whyUnreadable } from './routes-reading.ts';

/** Reads files `<host>.crt` and `<host>.key` of a folder; a wildcard's is `*.example.com.crt`. */

/** The maximum number of hosts of a folder. */
export const MAX_HOSTS = 10_000;

/** The hosts that have a certificate or a key in the folder, sorted; empty without a folder. */
export async function hostsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const hosts = new Set(names.filter((name) => /\.(?:crt|key)$/.test(name)).map((name) => name.slice(0, -4)));
  return [...hosts].toSorted();
}

/** The content of a host's two files. Never rejects. */
export async function readStored(folder: string, host: string): Promise<StoredCertificate> {
  const [certificate, key] = await Promise.all([readPart(folder, host, 'crt'), readPart(folder, host, 'key')]);
  for (const part of [certificate, key]) if (typeof part === 'object') return faulty('unreadable', part.fault);
  return certificate === '' && key === '' ? NO_CERTIFICATE : storedPair(certificate, key);
}

/** All certificates of the folder. Never rejects. */
export async function readCertificatesIn(folder: string): Promise<readonly CertificateEntry[]> {
  const entries: CertificateEntry[] = [];
  for (const host of (await hostsIn(folder)).filter(mayBeServerName).slice(0, MAX_HOSTS)) {
    entries.push([host, await readStored(folder, host)]);
    // Opening files blocks: other work of the process gets its turn in between.
    await nextTurn();
  }
  return entries;
}

/** A text that changes whenever a file of the folder does; links are followed. Never rejects. */
export async function signatureOfFolder(folder: string): Promise<string> {
  const parts: string[] = [];
  for (const host of (await hostsIn(folder)).slice(0, MAX_HOSTS)) {
    for (const end of ['crt', 'key']) parts.push(await signatureOf(join(folder, `${host}.${end}`)));
    parts.push(host);
  }
  return parts.join('\n');
}

/** Empty if there is no such file. */
async function readPart(folder: string, host: string, end: string): Promise<string | { readonly fault: string }> {
  const path = join(folder, `${host}.${end}`);
  try {
    const status = await stat(path);
    if (!status.isFile()) return { fault: `has a .${end} that is not a file` };
    // A file of this size is no certificate, and is not read.
    if (status.size > MAX_PEM) return { fault: 'is too long' };
    return readOwn(path, MAX_PEM).toString();
  } catch (error) {
    const why = whyUnreadable(error);
    return why === 'does not exist' ? '' : { fault: `has a .${end} that ${why}` };
  }
}
