import type { SiteLimits } from '../site-limits.ts';
import type { ExchangeLimits } from './exchange-limits.ts';

/**
 * The limits of exchanges of sites that have their own, within those of the configuration. They are computed once for each
 * Site, and forgotten with it.
 */
export class LimitsBySite {
  readonly #all: ExchangeLimits;
  readonly #made = new WeakMap<SiteLimits, ExchangeLimits>();

  /** @param all the configuration's */
  constructor(all: ExchangeLimits) {
    this.#all = all;
  }

  of(own: SiteLimits): ExchangeLimits {
    const known = this.#made.get(own);
    if (known !== undefined) return known;
    const made = limitsWithin(this.#all, own);
    this.#made.set(own, made);
    return made;
  }
}

/** A site's limits, none of them above the configuration's. */
export function limitsWithin(all: ExchangeLimits, own: SiteLimits): ExchangeLimits {
  return Object.freeze({
    ...all,
    connectMs: lesser(all.connectMs, own.connectMs),
    firstByteMs: lesser(all.firstByteMs, own.firstByteMs),
    responseMs: lesser(all.responseMs, own.responseMs),
    bodyMs: lesser(all.bodyMs, own.bodyMs),
    tunnelMs: lesser(all.tunnelMs, own.tunnelMs),
    bodyBytes: lesser(all.bodyBytes, own.bodyBytes),
    // Parsers have enforced the configuration's.
    headerBytes: own.headerBytes,
    readMs: lesser(all.readMs, own.responseMs),
  });
}

/** Of two limits; 0 is none. */
function lesser(one: number, other: number): number {
  return one === 0 || other === 0 ? one + other : Math.min(one, other);
}
