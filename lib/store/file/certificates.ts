import { type CertificateStore, type StoredCertificate, isSameStored, NO_CERTIFICATE } from '../certificates.ts';
import { Joiner, type Piece } from './pieces.ts';
import { Turn } from '../turn.ts';

/** The content of the certificates folder, by key: `www.x.io`, `*.x.io`. Plain data. */
export type CertificateEntry = readonly [key: string, held: StoredCertificate];

/** All entries as bytes, which are sent in pieces. */
export function encodeCertificates(entries: readonly CertificateEntry[]): Uint8Array {
  return Buffer.from(JSON.stringify(entries));
}

/** A worker's side of the certificates beside a routes file: what the master has sent. */
export class FileCertificates implements CertificateStore {
  readonly #wantPiece: () => void;
  readonly #joiner = new Joiner();
  readonly #filled = new Turn();
  #bytes = 0;
  #held: ReadonlyMap<string, StoredCertificate> = new Map();

  /**
   * Requests its first piece at once. @param wantPiece requests the next one, which arrives at once, or after a change
   */
  constructor(wantPiece: () => void) {
    this.#wantPiece = wantPiece;
    wantPiece();
  }

  /** Takes a piece, and requests the next. With the last one, all certificates change in one step. */
  take(piece: Piece): void {
    const bytes = this.#joiner.add(piece);
    if (bytes !== null) {
      const held = new Map<string, StoredCertificate>();
      // From the master, made by `encodeCertificates`.
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

  /** The size of all entries as received, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  nameOf(key: string): string {
    return `tls/${key}.crt`;
  }

  /** Names that clients make up are looked up in memory, never in the file system. */
  async find(key: string): Promise<StoredCertificate> {
    return this.#held.get(key) ?? NO_CERTIFICATE;
  }

  mustAsk(): boolean {
    return false;
  }

  /** Nothing to do: it always has the current content. */
  forget(): void {}

  /** Resolves when the certificates have arrived for the first time. */
  ready(): Promise<void> {
    return this.#filled.promise;
  }
}
