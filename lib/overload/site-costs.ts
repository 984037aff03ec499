/** How many sites are counted. Beyond it new ones are not: those are small. */
const MAX_SITES = 20_000;
/** So many bytes of a response cost as much as a request. */
const BYTES = 65_536;
/** What is left of a cost after a turn. */
const LEFT = 0.6;
/** A site with less is forgotten. */
const LEAST = 0.05;

/** What a site cost lately, in requests, and which part of them is refused. */
export interface SiteCost {
  cost: number;
  /** From 0 to 1. */
  refused: number;
  /** The part of a request that has not been refused yet. */
  due: number;
}

/** What sites have cost a worker in the last seconds: requests, those that were refused included, and bytes. */
export class SiteCosts {
  readonly #sites = new Map<string, SiteCost>();

  /** Number of sites. */
  get size(): number {
    return this.#sites.size;
  }

  /** Counts a request of a site. @returns null for one that is not counted */
  asked(site: string): SiteCost | null {
    let cost = this.#sites.get(site);
    if (cost === undefined) {
      if (this.#sites.size >= MAX_SITES) return null;
      cost = { cost: 0, refused: 0, due: 0 };
      this.#sites.set(site, cost);
    }
    cost.cost++;
    return cost;
  }

  /** Counts the bytes of a response. */
  sent(site: string, bytes: number): void {
    const cost = this.#sites.get(site);
    if (cost !== undefined) cost.cost += bytes / BYTES;
  }

  /** The costs by site. */
  get costs(): ReadonlyMap<string, number> {
    return new Map([...this.#sites].map(([site, { cost }]) => [site, cost]));
  }

  /** From now on these parts of requests are refused, and no others. */
  refuse(parts: ReadonlyMap<string, number>): void {
    for (const [site, cost] of this.#sites) {
      cost.refused = parts.get(site) ?? 0;
      if (cost.refused === 0) cost.due = 0;
    }
  }

  /** What was counted so far counts less from now on. */
  age(): void {
    for (const [site, cost] of this.#sites) {
      cost.cost *= LEFT;
      if (cost.cost < LEAST) this.#sites.delete(site);
    }
  }
}
