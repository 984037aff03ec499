import type { Activity } from '../core/limits/activity.ts';
import type { RouterError } from '../core/errors.ts';
import type { Peer } from '../core/http/forwarded.ts';
import type { HandoffState } from '../core/routing/types.ts';
import type { ClientStream } from '../http1/client-stream.ts';
import type { Exchange } from '../proxy/exchange.ts';

/** One exchange that the fast lane handed off. */
export interface Handoff {
  /** What the fast lane did with the request so far. */
  readonly state: HandoffState;
  /** Called when the whole response is written and the router needs nothing more of the request body. */
  readonly onEnded: () => void;
}

/** What is known of a connection when the full lane gets it. */
export interface ConnectionStart {
  /** Where the connection reports that it is busy or idle; null for streams that report nothing. */
  readonly activity?: Activity | null;
  readonly handoff?: Handoff | null;
  readonly rejection?: RouterError | null;
}

/** A client connection in the full lane: its stream, its peer, and its open exchanges, oldest first. */
export class Connection {
  readonly stream: ClientStream;
  readonly peer: Peer;
  /** Null for a connection that the full lane keeps. */
  readonly handoff: Handoff | null;
  /** The error that every request of the connection is refused with; null when requests are served. */
  readonly rejection: RouterError | null;
  /** The parser met bytes that are no HTTP: no further request is read from the connection. */
  hasFailed = false;
  readonly #activity: Activity | null;
  readonly #open = new Set<Exchange>();

  constructor(
    stream: ClientStream,
    peer: Peer,
    { activity = null, handoff = null, rejection = null }: ConnectionStart = {},
  ) {
    this.stream = stream;
    this.peer = peer;
    this.handoff = handoff;
    this.rejection = rejection;
    this.#activity = activity;
    // Node informs only the response that has the socket: pipelined ones behind it would stay open.
    stream.on('close', () => this.#onClose());
  }

  /** Adds an exchange, until it is over. */
  add(exchange: Exchange): void {
    this.#open.add(exchange);
    this.#activity?.busy();
    void exchange.over.then(() => {
      this.#open.delete(exchange);
      this.handoff?.onEnded();
      if (this.#activity !== null) this.#idleAfter(this.#activity, exchange);
    });
  }

  /** Reports idle once the remaining request body, which the router discards, has been read. */
  #idleAfter(activity: Activity, { request }: Exchange): void {
    const report = (): void => {
      if (this.isIdle) activity.idle();
    };
    if (request.complete || request.destroyed) report();
    else request.once('close', report);
  }

  /** Whether no exchange is open. */
  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  /** The exchange whose request is still being received, or null. Malformed bytes are part of its body. */
  get receiving(): Exchange | null {
    for (const exchange of this.#open) if (!exchange.request.complete) return exchange;
    return null;
  }

  /** Resolves when all exchanges that are open now have ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#open].map((exchange) => exchange.ended));
  }

  /** As `settled`, for a socket that Node's server has released: without its `drain` events responses would hang. */
  async settledAlone(): Promise<void> {
    this.stream.on('drain', this.#onDrain);
    await this.settled();
    this.stream.off('drain', this.#onDrain);
  }

  readonly #onDrain = (): void => {
    for (const { response } of this.#open) if (response.socket !== null) response.emit('drain');
  };

  #onClose(): void {
    for (const exchange of this.#open) exchange.onClientGone();
  }
}
