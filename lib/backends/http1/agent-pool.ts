import { Agent, type ClientRequest, type ClientRequestArgs } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { serverOf } from '../../core/routing/backend.ts';
import type { Backend } from '../../core/routing/types.ts';
import type { Dialer } from '../dialing/dialer.ts';
import type { Caller, Dialing } from '../dialing/dialing.ts';
import type { BackendState } from '../state/backend-state.ts';
import { type AgentConnections, BackendStream } from './backend-stream.ts';

export interface PoolOptions {
  /** Maximum number of connections to one backend. */
  readonly maxSockets: number;
  /** Whether connections are kept for the next request. */
  readonly keepAlive: boolean;
  readonly dialer: Pick<Dialer, 'dial'>;
}

/** The full lane's connections to HTTP/1.1 backends, by Node's agent. */
export class AgentPool {
  /** Whether connections are kept for the next request. */
  readonly isKeeping: boolean;
  /** The agent for requests with a `backend` among their options. */
  readonly agent: BackendAgent;
  readonly #maxSockets: number;

  constructor({ maxSockets, keepAlive, dialer }: PoolOptions) {
    this.isKeeping = keepAlive;
    this.#maxSockets = maxSockets;
    this.agent = new BackendAgent(maxSockets, keepAlive, dialer);
  }

  /** Makes room for one more connection to a backend. Call only with one of its slots. */
  makeRoom(state: BackendState): void {
    if (state.agent.idle.length === 0) state.makeRoom(this.#maxSockets);
  }

  /** Closes the idle connections to a backend: one was stale, so the others probably are, too. */
  forget({ agent }: BackendState): void {
    for (const stream of agent.idle.slice()) stream.destroy();
  }

  /** Closes the idle connections to a backend if all of them have been idle for longer: a new one is made then. */
  closeOld(state: BackendState, maxIdleMs: number): void {
    const latest = state.agent.idle.at(-1);
    if (latest !== undefined && performance.now() - latest.idleSince > maxIdleMs) this.forget(state);
  }

  /** Closes all idle connections: their file descriptors are needed. */
  closeAllIdle(): void {
    for (const sockets of Object.values(this.agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  /**
   * Sends a request to its end, although its response has come and closes the connection: Node would close it with
   * the response. It is closed after the request.
   */
  keepUntilSent(request: ClientRequest): void {
    const stream: unknown = request.socket;
    if (request.shouldKeepAlive || !(stream instanceof BackendStream)) return;
    stream.isLast = true;
    request.shouldKeepAlive = true;
  }

  /** Number of all idle connections. */
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
  /** Called when a new connection is made for the request, with a way to cancel it. */
  readonly onDialing: (dialing: Dialing) => void;
}

/** The callback of Node's agent; call it once. */
type Created = (cause: Error | null, socket: Duplex) => void;
/** The unused argument beside an error. */
const NO_SOCKET = undefined as unknown as Duplex;

/**
 * One connection made for Node's agent. A dialer refers to its caller until the connection has closed, so this drops the
 * agent's callback, which refers to the request, and a connection that has become a tunnel.
 */
class AgentCall implements Caller {
  readonly #connections: AgentConnections;
  #created: Created | null;
  #made: BackendStream | null = null;

  /** @param created the agent's callback */
  constructor(connections: AgentConnections, created: Created | null) {
    this.#connections = connections;
    this.#created = created;
    connections.open++;
  }

  dial(dialer: Pick<Dialer, 'dial'>, { backend, onDialing }: ForBackend): void {
    const dialing = dialer.dial(backend, this);
    onDialing({
      cancel: () => {
        dialing.cancel();
        this.#tell(new Error('no request waits for the connection'), NO_SOCKET);
      },
    });
  }

  onSocket(socket: Socket): void {
    const made = new BackendStream(socket, this.#connections);
    // Node's client listens for errors until the response has ended. A write that fails later would crash the
    // worker.
    made.on('error', () => {});
    made.onReleased = () => {
      this.#made = null;
    };
    this.#made = made;
    this.#tell(null, made);
  }

  onNoSocket(cause: Error): void {
    this.#tell(cause, NO_SOCKET);
  }

  onMoved(): void {
    const made = this.#made;
    if (made === null) return;
    made.isLast = true;
    if (made.wake()) made.destroy();
  }

  #tell(cause: Error | null, socket: Duplex): void {
    const created = this.#created;
    if (created === null) return;
    this.#created = null;
    if (cause !== null) this.#connections.open--;
    created(cause, socket);
  }
}

/** Node's agent, with connections that are made and named by the router, including TLS and unix sockets. */
class BackendAgent extends Agent {
  readonly #dialer: Pick<Dialer, 'dial'>;

  constructor(maxSockets: number, keepAlive: boolean, dialer: Pick<Dialer, 'dial'>) {
    // The latest used first: it is the least likely to have been closed by the backend.
    super({ keepAlive, maxSockets, maxFreeSockets: maxSockets, scheduling: 'lifo' });
    this.#dialer = dialer;
  }

  override getName(options?: object): string {
    return serverOf((options as ForBackend).backend);
  }

  override createConnection(options: ForBackend, callback?: Created): null {
    const call = new AgentCall(options.connections, callback ?? null);
    call.dial(this.#dialer, options);
    return null;
  }

  /** Node calls this when an exchange has ended. */
  override keepSocketAlive(socket: Duplex): boolean {
    if (!(socket instanceof BackendStream) || socket.isLast || !socket.isKept) return false;
    // Node's types declare no return value, but without a true one the connection is closed.
    const isKept = super.keepSocketAlive(socket) as unknown as boolean;
    if (isKept) socket.rest();
    return isKept;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    if (socket instanceof BackendStream) socket.wake();
    super.reuseSocket(socket, request);
  }
}
