import { LRUCache } from 'lru-cache';
import { type CertificateStore, type StoredCertificate, isSameStored } from '../certificates.ts';
import { type Read, Reads, type Stamp } from './reads.ts';
import { RouterError } from '../../core/errors.ts';

/** Certificates that others can remember. */
export interface CertificateSource {
  nameOf(key: string): string;
  /** What stands under a key now. @throws RouterError `store-unavailable` */
  read(key: string): Promise<StoredCertificate>;
}

/** What a RememberedCertificates is made of. */
export interface RememberedCertificatesParts {
  readonly source: CertificateSource;
  /** A handshake waits no longer, ms. */
  readonly timeoutMs: number;
  /** In mode `push`: what is sure now; see `Watch`. Null where Redis is asked for every handshake. */
  readonly watch: { readonly stamp: Stamp } | null;
  /** After it Redis is asked, whatever it did not say, ms. */
  readonly maxAgeMs: number;
}

interface Known {
  readonly held: StoredCertificate;
  readonly read: Read;
}

/** A read that has not ended, and the one that begins after it, for those who came meanwhile. */
interface UnderWay {
  readonly now: Promise<StoredCertificate>;
  next: Promise<StoredCertificate> | null;
}

/** Keys with a certificate that are remembered: some 5 kB each. */
const MAX_KNOWN = 4_000;
/** Keys without one: clients think of them without end. */
const MAX_UNKNOWN = 10_000;
/** No watch: see freshness.ts. */
const UNWATCHED = -1;

/**
 * What was read, by key. As long as it is sure, nobody is asked; where the source gives no answer, it is what counts.
 * Texts that are the same are the same object, so that nothing is made anew of them.
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
    const known = this.#known.get(key) ?? this.#unknown.get(key);
    if (known !== undefined && this.#isSure(known)) return known.held;
    try {
      return await this.#inTime(this.#ask(key));
    } catch (error) {
      const last = this.#known.peek(key);
      if (last === undefined) throw error;
      return last.held;
    }
  }

  forget(key: string): void {
    this.doubt(key);
    this.#known.delete(key);
  }

  /** What stands under a key has changed: it has to be read again. */
  doubt(key: string): void {
    this.#reads.doubt(key);
    for (const home of [this.#known, this.#unknown]) {
      const known = home.peek(key);
      if (known !== undefined) known.read.isDoubtful = true;
    }
  }

  /**
   * Handshakes for one key share a read that has not ended; but one that came after it was sent waits for the next, or
   * it could be given a certificate that was replaced before the client came.
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
    // Where it is asked for every time, that nothing was there is of no use.
    if (!isUnknown || this.#parts.watch !== null) {
      (isUnknown ? this.#unknown : this.#known).set(key, { held: same, read });
    }
    return same;
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
        () => reject(new RouterError('store-unavailable', `no answer within ${timeoutMs} ms`)),
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
