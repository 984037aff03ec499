import type { Config } from '../../config/config.ts';
import type { Worker } from 'node:cluster';
import { LRUCache } from 'lru-cache';
import { type StoredPair, isSameStored } from '../../store/certificates.ts';
import type { LastGoodChange } from '../messages.ts';

/** A pair, where it comes from, and the key that it stood under there. Never to be logged: it has a private key. */
export interface LastGoodCertificate {
  /** The driver's URL. */
  readonly source: string;
  readonly key: string;
  readonly pair: StoredPair;
}

/** Keys of all sources. */
const MAX_PAIRS = 4_000;
/** And their texts, characters: chains of average length for all of them, or 128 of the greatest. */
const MAX_CHARACTERS = 64 * 1024 * 1024;

/**
 * The master's memory of certificates: the pair that was good last, by key, as any worker found it. So a worker that has
 * not seen it, or began later, shows the same one as the others while the store is silent or holds what cannot be used.
 * In memory only.
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

  /** @param tell tells all workers whose routes come from a source, but one */
  constructor(tell: (source: string, news: LastGoodChange, but: Worker | null) => void) {
    this.#tell = tell;
  }

  /** The keys that there is a pair for. */
  keysOf(source: string): readonly string[] {
    return this.all().flatMap((kept) => (kept.source === source ? [kept.key] : []));
  }

  find(source: string, key: string): StoredPair | null {
    return this.#pairs.get(nameOf(source, key))?.pair ?? null;
  }

  /** A worker has found a pair good. */
  keep(kept: LastGoodCertificate, by: Worker | null): void {
    const { source, key, pair } = kept;
    const name = nameOf(source, key);
    const last = this.#pairs.get(name);
    if (last !== undefined && isSameStored(last.pair, pair)) return;
    this.#pairs.set(name, kept);
    this.#tell(source, { key, is: 'new' }, by);
  }

  /** A worker has found nothing where it stood. */
  drop(source: string, key: string, by: Worker): void {
    if (this.#pairs.delete(nameOf(source, key))) this.#tell(source, { key, is: 'gone' }, by);
  }

  /** Forgets those of all sources but one: no worker has them now. */
  keepOnly(source: string): void {
    for (const kept of this.all()) if (kept.source !== source) this.#pairs.delete(nameOf(kept.source, kept.key));
  }

  /** All there are, those used last at the end. */
  all(): readonly LastGoodCertificate[] {
    return [...this.#pairs.rvalues()].filter((kept) => kept !== undefined);
  }
}

function nameOf(source: string, key: string): string {
  return `${key} ${source}`;
}

/** Where a configuration's certificates come from: those of another source are no others' last good ones. */
export function sourceOf({ driver }: Config): string {
  return driver.read;
}
