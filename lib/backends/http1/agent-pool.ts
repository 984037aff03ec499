import { Agent, type ClientRequest, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import { serverOf } from '../../core/routing/backend.ts';
import type { Backend } from '../../core/routing/types.ts';
import type { Dialer } from '../dialing/dialer.ts';
import type { Dialing } from '../dialing/dialing.ts';
import type { BackendState } from '../state/backend-state.ts';
import { type AgentConnections, BackendStream } from './backend-stream.ts';

export interface PoolOptions {
  /** Connections to one backend; further requests wait. */
  readonly maxSockets: number;
  /** Whether connections are kept for the next request. */
  readonly keepAlive: boolean;
  readonly dialer: Pick<Dialer, 'dial'>;
}

/** The full lane's connections to HTTP/1.1 backends, by Node's agent. */
export class AgentPool {
  /** Whether connections are kept for the next request. */
  readonly isKeeping: boolean;
  /** Sends requests that say which backend they are for: `backend` among their options. */
  readonly agent: BackendAgent;
  readonly #maxSockets: number;

  constructor({ maxSockets, keepAlive, dialer }: PoolOptions) {
    this.isKeeping = keepAlive;
    this.#maxSockets = maxSockets;
    this.agent = new BackendAgent(maxSockets, keepAlive, dialer);
  }

  /** Sees to it that a next request to a backend does not make its connections too many. Only for who holds one of its places. */
  makeRoom(state: BackendState): void {
    if (state.agent.idle.length === 0) state.makeRoom(this.#maxSockets);
  }

  /** Closes the idle connections to a backend: one of them proved stale, so the others probably are. */
  forget({ agent }: BackendState): void {
    for (const stream of agent.idle.slice()) stream.destroy();
  }

  /** Closes the idle connections to a backend if all of them have been idle for longer: a new one is made then. */
  closeOld(state: BackendState, maxIdleMs: number): void {
    const latest = state.agent.idle.at(-1);
    if (latest !== undefined && performance.now() - latest.idleSince > maxIdleMs) this.forget(state);
  }

  /** Closes all that are idle: their descriptors are needed. */
  closeAllIdle(): void {
    for (const sockets of Object.values(this.agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  /**
   * Lets a request be sent to its end though its answer, which has come before, says that the connection closes then: Node
   * would end it with the answer. It is closed after the request.
   */
  keepUntilSent(request: ClientRequest): void {
    const stream: unknown = request.socket;
    if (request.shouldKeepAlive || !(stream instanceof BackendStream)) return;
    stream.isLast = true;
    request.shouldKeepAlive = true;
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

/** Options of a request for the agent. */
export interface ForBackend extends ClientRequestArgs {
  readonly backend: Backend;
  /** The agent's connections to it. */
  readonly connections: AgentConnections;
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

  constructor(maxSockets: number, keepAlive: boolean, dialer: Pick<Dialer, 'dial'>) {
    // The latest used first: what was used a moment ago is least likely to have been closed by the other side.
    super({ keepAlive, maxSockets, maxFreeSockets: maxSockets, scheduling: 'lifo' });
    this.#dialer = dialer;
  }

  override getName(options?: object): string {
    return serverOf((options as ForBackend).backend);
  }

  override createConnection(options: ForBackend, callback?: Created): null {
    const { connections } = options;
    connections.open++;
    let isOver = false;
    const tell: Created = (cause, socket) => {
      if (isOver) return;
      isOver = true;
      if (cause !== null) connections.open--;
      callback?.(cause, socket);
    };
    let made: BackendStream | null = null;
    const dialing = this.#dialer.dial(options.backend, {
      onSocket: (socket) => {
        made = new BackendStream(socket, connections);
        // Node's client hears of errors until an answer has ended. A write that fails then would end the worker.
        made.on('error', () => {});
        tell(null, made);
      },
      onNoSocket: (cause) => tell(cause, NO_SOCKET),
      onMoved: () => {
        if (made === null) return;
        made.isLast = true;
        if (made.wake()) made.destroy();
      },
    });
    options.onDialing({
      cancel: () => {
        dialing.cancel();
        tell(new Error('nobody waits for the connection any more'), NO_SOCKET);
      },
    });
    return null;
  }

  /** As Node asks when an exchange has ended. */
  override keepSocketAlive(socket: Duplex): boolean {
    if (!(socket instanceof BackendStream) || socket.isLast || !socket.isKept) return false;
    // Node's types have it return nothing; without a true value the connection is closed.
    const isKept = super.keepSocketAlive(socket) as unknown as boolean;
    if (isKept) socket.rest();
    return isKept;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    if (socket instanceof BackendStream) socket.wake();
    super.reuseSocket(socket, request);
  }
}
