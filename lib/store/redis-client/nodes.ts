import { type Endpoint, nameOfEndpoint } from '../../core/routing/redis-address.ts';
import { RedisConnection } from './connection.ts';
import type { RedisLinkSettings } from './link.ts';

/** A node that is not in the slot map any more is disconnected after so long without use, ms. */
const IDLE_MS = 10_000;

/** A node of a cluster. */
export interface RedisNode {
  readonly endpoint: Endpoint;
  readonly connection: RedisConnection;
  isUp: boolean;
  /** Since when it is down, `performance.now()` ms, and why; null while it serves. */
  down: { readonly since: number; readonly cause: Error } | null;
  usedAt: number;
}

/** The nodes of a cluster that have a connection, or an attempt at one. */
export class RedisNodes {
  readonly #settings: RedisLinkSettings;
  readonly #onLoss: () => void;
  readonly #nodes = new Map<string, RedisNode>();
  readonly #closing = new Set<Promise<void>>();

  /** @param onLoss called when a node goes down */
  constructor(settings: RedisLinkSettings, onLoss: () => void) {
    this.#settings = settings;
    this.#onLoss = onLoss;
  }

  /** The node at an address; connects to a new one. */
  at(endpoint: Endpoint): RedisNode {
    const name = nameOfEndpoint(endpoint);
    const node = this.#nodes.get(name) ?? this.#open(endpoint);
    this.#nodes.set(name, node);
    node.usedAt = performance.now();
    return node;
  }

  /** The nodes that serve. */
  get up(): readonly RedisNode[] {
    return [...this.#nodes.values()].filter(({ isUp }) => isUp);
  }

  /** Disconnects nodes that are not among these and were not used for a while. */
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
