import type { Config } from '../../config/config.ts';
import type { Worker } from 'node:cluster';
import { LRUCache } from 'lru-cache';
import { type StoredPair, isSameStored } from '../../store/certificates.ts';
import type { LastGoodChange } from '../messages.ts';

/** A pair, its store, and its key there. Never log it: it has a private key. */
export interface LastGoodCertificate {
  /** The driver URL. */
  readonly source: string;
  readonly key: string;
  readonly pair: StoredPair;
}

/** The maximum number of pairs, of all stores. */
const MAX_PAIRS = 4_000;
/** The maximum of their texts, characters: average chains for all of them, or 128 of the largest. */
const MAX_CHARACTERS = 64 * 1024 * 1024;

/**
 * The last valid certificate pair of each key, as found by any worker. So a worker that has not seen it, or started
 * later, uses the same one as the others while the store does not reply or has an invalid pair. In memory only.
 */
export class LastGoodCertificates {
  readonly #tell: (source: string, news: LastGoodChange, but: Worker | null) => void;
  readonly #pairs = new LRUCache<string, LastGoodCertificate>({
    max: MAX_PAIRS,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ pair }) => pair.certificate.length + pair.key.length,
    dispose: ({ source, key }, _name, reason) => {
      if (reason === 'evict') this.#tell(source, { key, is: 'unknown' }, null);
    },
  });

  /** @param tell informs all workers whose routes come from `source`, except `but` */
  constructor(tell: (source: string, news: LastGoodChange, but: Worker | null) => void) {
    this.#tell = tell;
  }

  /** The keys that have a pair. */
  keysOf(source: string): readonly string[] {
    return this.all().flatMap((kept) => (kept.source === source ? [kept.key] : []));
  }

  find(source: string, key: string): StoredPair | null {
    return this.#pairs.get(nameOf(source, key))?.pair ?? null;
  }

  /** A worker found a pair valid. */
  keep(kept: LastGoodCertificate, by: Worker | null): void {
    const { source, key, pair } = kept;
    const name = nameOf(source, key);
    const last = this.#pairs.get(name);
    if (last !== undefined && isSameStored(last.pair, pair)) return;
    this.#pairs.set(name, kept);
    this.#tell(source, { key, is: 'new' }, by);
  }

  /** A worker found that the store has no pair any more. */
  drop(source: string, key: string, by: Worker | null): void {
    if (this.#pairs.delete(nameOf(source, key))) this.#tell(source, { key, is: 'gone' }, by);
  }

  /** Drops the pairs of all stores but one, when no worker uses the others. */
  keepOnly(source: string): void {
    for (const kept of this.all()) if (kept.source !== source) this.#pairs.delete(nameOf(kept.source, kept.key));
  }

  /** All pairs, the most recently used last. */
  all(): readonly LastGoodCertificate[] {
    return [...this.#pairs.rvalues()].filter((kept) => kept !== undefined);
  }
}

function nameOf(source: string, key: string): string {
  return `${key} ${source}`;
}

/** The store of a configuration's certificates. Pairs of one store are not used for another. */
export function sourceOf({ driver }: Config): string {
  return driver.read;
}
