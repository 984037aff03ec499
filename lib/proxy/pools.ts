import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Backend } from '../core/types.ts';

/** Idle connections to one backend that are kept, at most. */
const MAX_IDLE = 256;

export interface PoolOptions {
  /** Connections to one backend; further requests wait. */
  readonly maxSockets: number;
  /** Whether connections are kept for the next request. */
  readonly keepAlive: boolean;
}

/** Connections to backends, one pool for each scheme. */
export class Pools {
  /** Whether connections are kept for the next request. */
  readonly isKeeping: boolean;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  constructor({ maxSockets, keepAlive }: PoolOptions) {
    this.isKeeping = keepAlive;
    // The latest used first: what was used a moment ago is least likely to have been closed by the other side.
    const options = {
      keepAlive,
      maxSockets,
      maxFreeSockets: Math.min(MAX_IDLE, maxSockets),
      scheduling: 'lifo',
    } as const;
    this.#http = new HttpAgent(options);
    this.#https = new HttpsAgent(options);
  }

  agentFor(backend: Backend): HttpAgent {
    return backend.protocol === 'https:' ? this.#https : this.#http;
  }

  /** Closes the idle connections to a backend: one of them proved stale, so the others probably are. */
  forget(backend: Backend): void {
    const agent = this.agentFor(backend);
    const { hostname: host, port } = backend;
    const prefix = agent.getName({ host, port });
    for (const [name, sockets] of Object.entries(agent.freeSockets)) {
      // An https agent's names go on with TLS options.
      if (name.startsWith(prefix)) for (const socket of sockets ?? []) socket.destroy();
    }
  }

  /** Idle connections in all, for counters. */
  get idle(): number {
    let count = 0;
    for (const agent of [this.#http, this.#https]) {
      for (const sockets of Object.values(agent.freeSockets)) count += sockets?.length ?? 0;
    }
    return count;
  }

  /** Closes every connection, busy ones too. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}
