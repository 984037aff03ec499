import { type Endpoint, nameOfEndpoint } from '../../core/routing/redis-address.ts';
import type { RedisNode, RedisNodes } from './nodes.ts';
import { slotMapOf, type SlotMap, SLOTS } from './slots.ts';

/** How many nodes are asked for the slot map at a time: one of them may not reply. */
const ASKED = 3;

/** Which node of a cluster serves which slot, according to the last slot map. */
export class SlotOwners {
  readonly #nodes: RedisNodes;
  readonly #seeds: readonly Endpoint[];
  #bySlot: (RedisNode | undefined)[] = [];
  #masters: readonly RedisNode[] = [];
  #replicas: readonly Endpoint[] = [];
  #rotation = 0;
  #learnedAt = -Infinity;

  /** @param seeds the configured nodes */
  constructor(nodes: RedisNodes, seeds: readonly Endpoint[]) {
    this.#nodes = nodes;
    this.#seeds = seeds;
  }

  /** When the slot map was last requested, `performance.now()` ms. */
  get learnedAt(): number {
    return this.#learnedAt;
  }

  /** Empty before the first slot map. */
  get masters(): readonly RedisNode[] {
    return this.#masters;
  }

  /** A slot that no node serves; null when there is none. */
  get hole(): number | null {
    const hole = this.#bySlot.indexOf(undefined);
    return hole < 0 ? null : hole;
  }

  /** The node that serves a slot. For null, any node, preferably one that is up. */
  of(slot: number | null): RedisNode | null {
    const node = slot === null ? (this.#masters.find(({ isUp }) => isUp) ?? this.#masters[0]) : this.#bySlot[slot];
    return node ?? null;
  }

  /** Records a moved slot, until the next slot map. */
  move(slot: number, to: RedisNode): void {
    this.#bySlot[slot] = to;
  }

  /** Requests the slot map. @returns why no node replied, or null */
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

  /** Some of the serving nodes, others each time; or else all that were ever named. */
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
  if (map === null) throw new Error(`${nameOfEndpoint(endpoint)} is not part of a cluster`);
  return map;
}
