/** Certificates of a set of frontends: named by file, or by digest. */
import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { readOwn } from '../files/read.ts';
import { checkPair } from '../store/certificate-check.ts';
import { MAX_PEM, type StoredPair } from '../store/certificates.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import type { CertificateReference, FileEntry } from './set-file.ts';

/** A certificate to write. */
export interface CertificateChange {
  readonly key: string;
  readonly pair: Omit<StoredPair, 'type'>;
}

/** How the store's certificate is named in an export; null where there is none. Never has the private key. */
export async function referenceIn(editor: RouteEditor, key: string): Promise<CertificateReference | null> {
  const stored = await editor.certificate(key);
  const sha256 = stored.type === 'pair' ? digestOf(stored.certificate) : null;
  return sha256 === null ? null : { sha256, files: editor.certificateFiles(key) };
}

/**
 * What is to be written for the entry's certificate.
 * @param folder paths in the file are relative to this
 * @param complain called with each fault
 * @returns null when nothing is
 */
export async function certificateChange(
  editor: RouteEditor,
  { key, certificate: reference }: FileEntry,
  folder: string,
  complain: (fault: string) => void,
): Promise<CertificateChange | null> {
  if (reference === null) return null;
  const { sha256, files } = reference;
  const stored = await editor.certificate(key);
  const name = editor.certificateName(key);
  if (files === null) {
    if (stored.type !== 'pair') complain(`there is no certificate ${name}; name its files`);
    else if (digestOf(stored.certificate) !== sha256)
      complain(`${name} is another certificate; name the files of this one`);
    return null;
  }
  let pair: CertificateChange['pair'];
  try {
    const [certificate, privateKey] = [files.certificate, files.key].map((path) =>
      readOwn(resolve(folder, path), MAX_PEM).toString(),
    );
    pair = { certificate: certificate ?? '', key: privateKey ?? '' };
  } catch (error) {
    complain(`the certificate cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
  const { fault } = checkPair(pair, Date.now());
  if (fault !== null) complain(`the pair of ${files.certificate} ${fault.text}`);
  if (sha256 !== null && digestOf(pair.certificate) !== sha256) {
    complain(`${files.certificate} has another SHA-256 than ${sha256}`);
  }
  const isSame = stored.type === 'pair' && stored.certificate === pair.certificate && stored.key === pair.key;
  return isSame ? null : { key, pair };
}

function digestOf(certificate: string): string | null {
  try {
    return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
  } catch {
    return null;
  }
}
