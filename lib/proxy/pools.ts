import { Agent, type ClientRequestArgs } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { serverOf } from '../core/backend.ts';
import type { Backend } from '../core/types.ts';
import type { Dialer } from '../dial/dialer.ts';
import type { Dialing } from '../dial/dialing.ts';

export interface PoolOptions {
  /** Connections to one backend; further requests wait. */
  readonly maxSockets: number;
  /** Whether connections are kept for the next request. */
  readonly keepAlive: boolean;
  readonly dialer: Pick<Dialer, 'dial'>;
}

/** The fast lane's connections, as far as both lanes share a limit. */
export interface OtherPool {
  /** Open connections to a backend, idle ones included. */
  open(backend: Backend): number;
  /** Closes one that is idle. */
  closeIdle(backend: Backend): void;
}

/** Connections to backends of every kind. */
export class Pools {
  /** Whether connections are kept for the next request. */
  readonly isKeeping: boolean;
  /** Sends requests that say which backend they are for: `backend` among their options. */
  readonly agent: BackendAgent;
  readonly #maxSockets: number;
  /** Set once, where there is a fast lane. */
  other: OtherPool | null = null;

  constructor({ maxSockets, keepAlive, dialer }: PoolOptions) {
    this.isKeeping = keepAlive;
    this.#maxSockets = maxSockets;
    this.agent = new BackendAgent(maxSockets, keepAlive, dialer);
  }

  /**
   * Sees to it that a next request to a backend does not make its connections too many. Only for who holds one of its
   * places: fewer than the limit are busy then, so one of the fast lane's can be closed.
   */
  makeRoom(backend: Backend): void {
    if (this.other === null || count(this.agent.freeSockets, backend) > 0) return;
    if (this.open(backend) + this.other.open(backend) >= this.#maxSockets) this.other.closeIdle(backend);
  }

  /** Open connections to a backend, idle ones and those on their way included. */
  open(backend: Backend): number {
    const { sockets, freeSockets } = this.agent;
    return this.agent.dialing(backend) + count(sockets, backend) + count(freeSockets, backend);
  }

  /** Closes the idle connection to a backend that was used longest ago. */
  closeIdle(backend: Backend): void {
    this.agent.freeSockets[serverOf(backend)]?.[0]?.destroy();
  }

  /** Closes the idle connections to a backend: one of them proved stale, so the others probably are. */
  forget(backend: Backend): void {
    for (const socket of this.agent.freeSockets[serverOf(backend)] ?? []) socket.destroy();
  }

  /** Idle connections in all, for counters. */
  get idle(): number {
    return Object.values(this.agent.freeSockets).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
  }

  /** Closes every connection, busy ones too. */
  close(): void {
    this.agent.destroy();
  }
}

function count(lists: NodeJS.ReadOnlyDict<Socket[]>, backend: Backend): number {
  return lists[serverOf(backend)]?.filter(({ destroyed }) => !destroyed).length ?? 0;
}

/** Options of a request for the agent. */
export interface ForBackend extends ClientRequestArgs {
  readonly backend: Backend;
  /** Told when a new connection is made for the request, and how to call that off. */
  readonly onDialing: (dialing: Dialing) => void;
}

/** As Node's agent wants to be told, once. */
type Created = (cause: Error | null, socket: Duplex) => void;
/** What comes with an error, and nobody looks at. */
const NO_SOCKET = undefined as unknown as Duplex;

/** Node's agent, for connections that are told apart and made as the router does: TLS and sockets among them. */
class BackendAgent extends Agent {
  readonly #dialer: Pick<Dialer, 'dial'>;
  /** How many connections are on their way, by server. */
  readonly #dialing = new Map<string, number>();

  constructor(maxSockets: number, keepAlive: boolean, dialer: Pick<Dialer, 'dial'>) {
    // The latest used first: what was used a moment ago is least likely to have been closed by the other side.
    super({ keepAlive, maxSockets, maxFreeSockets: maxSockets, scheduling: 'lifo' });
    this.#dialer = dialer;
  }

  override getName(options?: object): string {
    return serverOf((options as ForBackend).backend);
  }

  override createConnection(options: ForBackend, callback?: Created): null {
    const server = serverOf(options.backend);
    this.#dialing.set(server, this.dialing(options.backend) + 1);
    let isOver = false;
    const tell: Created = (cause, socket) => {
      if (isOver) return;
      isOver = true;
      const left = this.dialing(options.backend) - 1;
      if (left > 0) this.#dialing.set(server, left);
      else this.#dialing.delete(server);
      callback?.(cause, socket);
    };
    const dialing = this.#dialer.dial(options.backend, {
      onSocket: (socket) => {
        // Node's client hears of errors until an answer has ended. A write that fails then would end the worker.
        socket.on('error', () => {});
        tell(null, socket);
      },
      onNoSocket: (cause) => tell(cause, NO_SOCKET),
    });
    options.onDialing({
      cancel: () => {
        dialing.cancel();
        tell(new Error('nobody waits for the connection any more'), NO_SOCKET);
      },
    });
    return null;
  }

  /** Connections to a backend that are on their way: Node counts those that are there. */
  dialing(backend: Backend): number {
    return this.#dialing.get(serverOf(backend)) ?? 0;
  }
}
