import { type Endpoint, nameOfEndpoint } from '../../core/routing/redis-address.ts';
import { RedisConnection } from './connection.ts';
import type { RedisLinkSettings } from './link.ts';

/** A node that the cluster no longer names is let go when nobody has used it for so long. */
const IDLE_MS = 10_000;

/** One node of a cluster, and what is known of it. */
export interface RedisNode {
  readonly endpoint: Endpoint;
  readonly connection: RedisConnection;
  isUp: boolean;
  /** Since when it is down, in `performance.now()` milliseconds, and why. */
  down: { readonly since: number; readonly cause: Error } | null;
  usedAt: number;
}

/** The nodes of a cluster that we are connected to, or try to be. */
export class RedisNodes {
  readonly #settings: RedisLinkSettings;
  readonly #onLoss: () => void;
  readonly #nodes = new Map<string, RedisNode>();
  readonly #closing = new Set<Promise<void>>();

  /** @param onLoss told when one goes down */
  constructor(settings: RedisLinkSettings, onLoss: () => void) {
    this.#settings = settings;
    this.#onLoss = onLoss;
  }

  /** The node at a place; connects when that is new. */
  at(endpoint: Endpoint): RedisNode {
    const name = nameOfEndpoint(endpoint);
    const node = this.#nodes.get(name) ?? this.#open(endpoint);
    this.#nodes.set(name, node);
    node.usedAt = performance.now();
    return node;
  }

  /** Those that serve. */
  get up(): readonly RedisNode[] {
    return [...this.#nodes.values()].filter(({ isUp }) => isUp);
  }

  /** Lets go of those that are not among these and have not been used for a while. */
  prune(kept: readonly RedisNode[]): void {
    const now = performance.now();
    for (const [name, node] of this.#nodes) {
      if (kept.includes(node) || now - node.usedAt < IDLE_MS) continue;
      this.#nodes.delete(name);
      const closed = node.connection.close().finally(() => this.#closing.delete(closed));
      this.#closing.add(closed);
    }
  }

  async close(): Promise<void> {
    const open = [...this.#nodes.values()].map(({ connection }) => connection.close());
    await Promise.all([...open, ...this.#closing]);
  }

  #open(endpoint: Endpoint): RedisNode {
    const { address, timeoutMs } = this.#settings;
    const connection = new RedisConnection({
      address: { ...address, place: { type: 'server', ...endpoint } },
      timeoutMs,
      pulse: ['ping'],
      onPulse: () => {},
      onUp: () => {
        node.isUp = true;
        node.down = null;
      },
      onDown: (cause) => {
        node.isUp = false;
        node.down = { since: performance.now(), cause };
        this.#onLoss();
      },
    });
    const node: RedisNode = { endpoint, connection, isUp: false, down: null, usedAt: 0 };
    return node;
  }
}
