import { type Endpoint, nameOfEndpoint } from '../../core/routing/redis-address.ts';
import type { RedisNode, RedisNodes } from './nodes.ts';
import { slotMapOf, type SlotMap, SLOTS } from './slots.ts';

/** Nodes asked at a time who has what: one of them may be silent. */
const ASKED = 3;

/** Which node of a cluster serves which slot, as far as the nodes have told. */
export class SlotOwners {
  readonly #nodes: RedisNodes;
  readonly #seeds: readonly Endpoint[];
  #bySlot: (RedisNode | undefined)[] = [];
  #masters: readonly RedisNode[] = [];
  #replicas: readonly Endpoint[] = [];
  #rotation = 0;
  #learnedAt = -Infinity;

  /** @param seeds the nodes that the operator named */
  constructor(nodes: RedisNodes, seeds: readonly Endpoint[]) {
    this.#nodes = nodes;
    this.#seeds = seeds;
  }

  /** When the last attempt to learn has ended, in `performance.now()` milliseconds. */
  get learnedAt(): number {
    return this.#learnedAt;
  }

  /** Empty until somebody has told. */
  get masters(): readonly RedisNode[] {
    return this.#masters;
  }

  /** A slot that nobody serves; null when there is none. */
  get hole(): number | null {
    const hole = this.#bySlot.indexOf(undefined);
    return hole < 0 ? null : hole;
  }

  /** The node that serves a slot. Any one, preferably one that is up, for null. */
  of(slot: number | null): RedisNode | null {
    const node = slot === null ? (this.#masters.find(({ isUp }) => isUp) ?? this.#masters[0]) : this.#bySlot[slot];
    return node ?? null;
  }

  /** Holds until the next time that all is learned. */
  move(slot: number, to: RedisNode): void {
    this.#bySlot[slot] = to;
  }

  /** Asks who has what; returns why nobody told, or null. */
  async learn(deadline: number): Promise<Error | null> {
    try {
      this.#accept(await Promise.any(this.#toAsk().map((node) => mapFrom(node, deadline))));
      return null;
    } catch (error) {
      const [first]: unknown[] = error instanceof AggregateError ? error.errors : [error];
      return first instanceof Error ? first : new Error(String(first));
    } finally {
      this.#learnedAt = performance.now();
    }
  }

  /** Some that serve, others each time; or else all that were ever named. */
  #toAsk(): readonly RedisNode[] {
    const { up } = this.#nodes;
    if (up.length > 0) {
      const start = this.#rotation++ % up.length;
      return [...up.slice(start), ...up.slice(0, start)].slice(0, ASKED);
    }
    const named = [...this.#seeds, ...this.#replicas].map((endpoint) => this.#nodes.at(endpoint));
    return [...new Set([...named, ...this.#masters])];
  }

  #accept({ ranges, replicas }: SlotMap): void {
    const bySlot: (RedisNode | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
    for (const { from, to, master } of ranges) bySlot.fill(this.#nodes.at(master), from, to + 1);
    this.#bySlot = bySlot;
    this.#masters = [...new Set(ranges.map(({ master }) => this.#nodes.at(master)))];
    this.#replicas = replicas;
    this.#nodes.prune(this.#masters);
  }
}

async function mapFrom({ connection, endpoint }: RedisNode, deadline: number): Promise<SlotMap> {
  const map = slotMapOf(await connection.send(['cluster', 'slots'], deadline), endpoint.host);
  if (map === null) throw new Error(`${nameOfEndpoint(endpoint)} knows of no cluster`);
  return map;
}
