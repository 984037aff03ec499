import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Backend } from '../core/types.ts';

/** Idle connections to one backend that are kept, at most. */
const MAX_IDLE = 256;

export interface PoolOptions {
  /** Connections to one backend; further requests wait. */
  readonly maxSockets: number;
  /** Whether connections are kept for the next request. */
  readonly keepAlive: boolean;
}

/** The fast lane's connections, as far as both lanes share a limit. */
export interface OtherPool {
  /** Open connections to a backend, idle ones included. */
  open(backend: Backend): number;
  /** Closes one that is idle. */
  closeIdle(backend: Backend): void;
}

/** Connections to backends, one pool for each scheme. */
export class Pools {
  /** Whether connections are kept for the next request. */
  readonly isKeeping: boolean;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  readonly #maxSockets: number;
  /** Set once, where there is a fast lane. */
  other: OtherPool | null = null;

  constructor({ maxSockets, keepAlive }: PoolOptions) {
    this.isKeeping = keepAlive;
    this.#maxSockets = maxSockets;
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

  /**
   * Sees to it that a next request to a backend does not make its connections too many. Only for who holds one of its
   * places: fewer than the limit are busy then, so one of the fast lane's can be closed.
   */
  makeRoom(backend: Backend): void {
    if (this.other === null || this.#of(backend).idle > 0) return;
    if (this.open(backend) + this.other.open(backend) >= this.#maxSockets) this.other.closeIdle(backend);
  }

  /** Open connections to a backend, idle ones included. */
  open(backend: Backend): number {
    const { busy, idle } = this.#of(backend);
    return busy + idle;
  }

  /** Closes the idle connection to a backend that was used longest ago. */
  closeIdle(backend: Backend): void {
    const agent = this.agentFor(backend);
    const names = this.#names(agent.freeSockets, backend);
    agent.freeSockets[names[0] ?? '']?.[0]?.destroy();
  }

  #of(backend: Backend): { readonly busy: number; readonly idle: number } {
    const { sockets, freeSockets } = this.agentFor(backend);
    const count = (lists: NodeJS.ReadOnlyDict<Socket[]>): number =>
      this.#names(lists, backend).reduce(
        (sum, name) => sum + (lists[name]?.filter(({ destroyed }) => !destroyed).length ?? 0),
        0,
      );
    return { busy: count(sockets), idle: count(freeSockets) };
  }

  /** The agent's names for a backend. An https agent's go on with TLS options. */
  #names(lists: NodeJS.ReadOnlyDict<Socket[]>, backend: Backend): string[] {
    const prefix = this.agentFor(backend).getName({ host: backend.hostname, port: backend.port });
    return backend.protocol === 'http:' ? [prefix] : Object.keys(lists).filter((name) => name.startsWith(prefix));
  }

  agentFor(backend: Backend): HttpAgent {
    return backend.protocol === 'https:' ? this.#https : this.#http;
  }

  /** Closes the idle connections to a backend: one of them proved stale, so the others probably are. */
  forget(backend: Backend): void {
    const { freeSockets } = this.agentFor(backend);
    for (const name of this.#names(freeSockets, backend))
      for (const socket of freeSockets[name] ?? []) socket.destroy();
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
