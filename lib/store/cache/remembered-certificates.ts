import { LRUCache } from 'lru-cache';
import { type CertificateStore, type StoredCertificate, isSameStored } from '../certificates.ts';
import { type Read, Reads, type Stamp } from './reads.ts';
import { RouterError } from '../../core/errors.ts';

/** Certificates that RememberedCertificates can keep. */
export interface CertificateSource {
  nameOf(key: string): string;
  /** The current content of a key. @throws RouterError `store-unavailable` */
  read(key: string): Promise<StoredCertificate>;
}

/** What RememberedCertificates needs. */
export interface RememberedCertificatesParts {
  readonly source: CertificateSource;
  /** How long a handshake waits, ms. */
  readonly timeoutMs: number;
  /** In mode `push`: which readings are still valid; see `Watch`. Null where Redis is asked for every handshake. */
  readonly watch: { readonly stamp: Stamp } | null;
  /** How long a reading is used without asking Redis, ms, even if no change was reported. */
  readonly maxAgeMs: number;
}

interface Known {
  readonly held: StoredCertificate;
  readonly read: Read;
}

/** A read in progress, and the one that starts after it for later callers. */
interface UnderWay {
  readonly now: Promise<StoredCertificate>;
  next: Promise<StoredCertificate> | null;
}

/** How many keys with a certificate are remembered; about 5 kB each. */
const MAX_KNOWN = 4_000;
/** How many keys without one are remembered; clients can make up any number. */
const MAX_UNKNOWN = 10_000;
/** A stamp for no watch: see freshness.ts. */
const UNWATCHED = -1;

/**
 * Remembers certificates by key. While a reading is fresh, the source is not asked; while the source does not reply,
 * the last reading is used. Equal texts are the same object, so that the TLS context is not made again.
 */
export class RememberedCertificates implements CertificateStore {
  readonly #parts: RememberedCertificatesParts;
  readonly #known = new LRUCache<string, Known>({ max: MAX_KNOWN });
  readonly #unknown = new LRUCache<string, Known>({ max: MAX_UNKNOWN });
  readonly #reads = new Reads();
  readonly #underWay = new Map<string, UnderWay>();

  constructor(parts: RememberedCertificatesParts) {
    this.#parts = parts;
  }

  nameOf(key: string): string {
    return this.#parts.source.nameOf(key);
  }

  async find(key: string): Promise<StoredCertificate> {
    const known = this.#sure(key);
    if (known !== null) return known.held;
    try {
      return await this.#inTime(this.#ask(key));
    } catch (error) {
      const last = this.#known.peek(key);
      if (last === undefined) throw error;
      return last.held;
    }
  }

  mustAsk(key: string): boolean {
    return this.#sure(key) === null;
  }

  forget(key: string): void {
    this.doubt(key);
    this.#known.delete(key);
  }

  /** The content of a key has changed: reads it again next time. */
  doubt(key: string): void {
    this.#reads.doubt(key);
    for (const home of [this.#known, this.#unknown]) {
      const known = home.peek(key);
      if (known !== undefined) known.read.isDoubtful = true;
    }
  }

  /**
   * Handshakes for one key share a read in progress. A handshake that starts after the read was sent waits for the next
   * read: otherwise it could get a certificate that was replaced before the client connected.
   */
  #ask(key: string): Promise<StoredCertificate> {
    const underWay = this.#underWay.get(key);
    if (underWay === undefined) {
      const now = this.#read(key);
      this.#underWay.set(key, { now, next: null });
      return now;
    }
    const again = (): Promise<StoredCertificate> => this.#ask(key);
    underWay.next ??= underWay.now.then(again, again);
    return underWay.next;
  }

  async #read(key: string): Promise<StoredCertificate> {
    const { source, watch } = this.#parts;
    const read = this.#reads.begin(key, performance.now(), watch?.stamp ?? NOT_SURE);
    try {
      return this.#remember(key, await source.read(key), read);
    } finally {
      this.#reads.end(key, read);
      this.#underWay.delete(key);
    }
  }

  #remember(key: string, held: StoredCertificate, read: Read): StoredCertificate {
    const last = this.#known.peek(key)?.held;
    const same = last !== undefined && isSameStored(last, held) ? last : held;
    const isUnknown = held.type === 'none';
    (isUnknown ? this.#known : this.#unknown).delete(key);
    // Without a watch, the source is asked every time, so that "no certificate" need not be remembered.
    if (!isUnknown || this.#parts.watch !== null) {
      (isUnknown ? this.#unknown : this.#known).set(key, { held: same, read });
    }
    return same;
  }

  #sure(key: string): Known | null {
    const known = this.#known.get(key) ?? this.#unknown.get(key);
    return known !== undefined && this.#isSure(known) ? known : null;
  }

  #isSure({ read }: Known): boolean {
    const { watch, maxAgeMs } = this.#parts;
    if (watch === null || read.isDoubtful || read.stamp.era === UNWATCHED) return false;
    return read.stamp.era === watch.stamp.era && performance.now() - read.at < maxAgeMs;
  }

  async #inTime(work: Promise<StoredCertificate>): Promise<StoredCertificate> {
    const { timeoutMs } = this.#parts;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new RouterError('store-unavailable', `no reply within ${timeoutMs} ms`)),
        timeoutMs,
      );
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const NOT_SURE: Stamp = { era: UNWATCHED, wildcards: 0 };
