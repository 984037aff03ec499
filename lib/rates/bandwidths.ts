import { Timer } from '../clock/time-limits.ts';
import type { BandwidthRule } from '../core/routing/site.ts';
import type { FlowParts } from './flow.ts';
import { type FlowEnds, PacedFlow } from './paced-flow.ts';
import type { ShareTurns } from './share-turns.ts';
import { SiteBandwidth } from './site-bandwidth.ts';

/** How long the bandwidth of a site without flows is kept, ms: a new one could pass its first bytes again at once. */
const KEEP_MS = 1_000;

/** The dependencies of Bandwidths. */
export interface BandwidthsParts extends FlowParts {
  readonly turns: ShareTurns;
}

/**
 * The bandwidths of sites in this worker. Each has an entry while it has flows, and for a second after that: open exchanges
 * bound their number.
 */
export class Bandwidths {
  readonly #parts: BandwidthsParts;
  readonly #sites = new Map<string, SiteBandwidth>();

  constructor(parts: BandwidthsParts) {
    this.#parts = parts;
  }

  /** Opens a flow, which its owner stops. @param key the route's @param perSecond its own bytes per second; 0 for any */
  open({ perSite }: Pick<BandwidthRule, 'perSite'>, key: string, perSecond: number, ends: FlowEnds): PacedFlow {
    const site = perSite === 0 ? null : this.#siteOf(key, perSite);
    return new PacedFlow(perSecond, site, this.#parts, ends);
  }

  /** Number of sites. */
  get size(): number {
    return this.#sites.size;
  }

  #siteOf(key: string, perSite: number): SiteBandwidth {
    const known = this.#sites.get(key);
    if (known !== undefined) {
      known.perSecond = perSite;
      return known;
    }
    const { clock, now, turns } = this.#parts;
    const onUnused = (): void => clock.set(forget, KEEP_MS);
    const site = new SiteBandwidth(`bytes ${key}`, perSite, { clock, now, turns, onUnused });
    const forget = new Timer(() => {
      if (site.isUsed) return;
      turns.drop(site);
      this.#sites.delete(key);
    });
    this.#sites.set(key, site);
    return site;
  }
}
