import { type CertificateStore, type StoredCertificate, isSameStored, NO_CERTIFICATE } from '../certificates.ts';
import { Joiner, type Piece } from './pieces.ts';
import { Turn } from '../turn.ts';

/** What the folder beside a routes file holds, by key: `www.x.io`, `*.x.io`. Plain data. */
export type CertificateEntry = readonly [key: string, held: StoredCertificate];

/** All entries as bytes, which travel in pieces. */
export function encodeCertificates(entries: readonly CertificateEntry[]): Uint8Array {
  return Buffer.from(JSON.stringify(entries));
}

/** A worker's half of the certificates beside a routes file: what the master told of them. */
export class FileCertificates implements CertificateStore {
  readonly #wantPiece: () => void;
  readonly #joiner = new Joiner();
  readonly #filled = new Turn();
  #bytes = 0;
  #held: ReadonlyMap<string, StoredCertificate> = new Map();

  /** It asks for its first piece at once. @param wantPiece asks for the next: it comes at once, or when there is news */
  constructor(wantPiece: () => void) {
    this.#wantPiece = wantPiece;
    wantPiece();
  }

  /** Takes a piece, and asks for the next. With the last one, all change in one step. */
  take(piece: Piece): void {
    const bytes = this.#joiner.add(piece);
    if (bytes !== null) {
      const held = new Map<string, StoredCertificate>();
      // The master's own word, made by `encodeCertificates`.
      for (const [key, now] of JSON.parse(Buffer.from(bytes).toString()) as readonly CertificateEntry[]) {
        const last = this.#held.get(key);
        held.set(key, last !== undefined && isSameStored(last, now) ? last : now);
      }
      this.#held = held;
      this.#bytes = bytes.byteLength;
      this.#filled.end();
    }
    this.#wantPiece();
  }

  /** What all of them take, as they came. */
  get bytes(): number {
    return this.#bytes;
  }

  nameOf(key: string): string {
    return `tls/${key}.crt`;
  }

  /** A name that a client made up is looked up here, and never in the file system. */
  async find(key: string): Promise<StoredCertificate> {
    return this.#held.get(key) ?? NO_CERTIFICATE;
  }

  /** It always has an answer. */
  forget(): void {}

  /** Resolves when they have come for the first time. */
  ready(): Promise<void> {
    return this.#filled.promise;
  }
}
