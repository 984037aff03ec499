import { type CertificateStore, type HeldCertificate, NO_CERTIFICATE } from './certificates.ts';

/** What the folder beside a routes file holds, by key. Plain data. */
export type CertificateEntry = readonly [key: string, held: HeldCertificate];

/** A worker's half of the certificates beside a routes file: what the master told of them. */
export class FileCertificates implements CertificateStore {
  #held: ReadonlyMap<string, HeldCertificate> = new Map();

  nameOf(key: string): string {
    return `tls/${key}.crt`;
  }

  /** Nobody has to be asked. A name that a client made up is looked up here, and never in the file system. */
  async find(key: string): Promise<HeldCertificate> {
    return this.#held.get(key) ?? NO_CERTIFICATE;
  }

  /** Puts these in the place of all others; those that are the same stay the same objects. */
  replace(held: ReadonlyMap<string, HeldCertificate>): void {
    this.#held = held;
  }
}
