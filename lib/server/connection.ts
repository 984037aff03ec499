import type { Duplex } from 'node:stream';
import type { Activity } from '../core/limits/activity.ts';
import type { RouterError } from '../core/errors.ts';
import type { Peer } from '../core/http/forwarded.ts';
import type { Prior } from '../core/routing/types.ts';
import type { Exchange } from '../proxy/exchange.ts';

/** Where a connection comes from that the fast lane lends for one exchange. */
export interface Lender {
  readonly prior: Prior;
  /** To be told when all of the answer was written, and nothing more of the request's body is wanted. */
  readonly onEnded: () => void;
}

/** What is said of a connection at its beginning. */
export interface ConnectionStart {
  /** Where exchanges on it are reported; null for nowhere. */
  readonly activity?: Activity | null;
  readonly lender?: Lender | null;
  readonly objection?: RouterError | null;
}

/** A client's connection: who is at its other end, and the exchanges that are open on it, oldest first. */
export class Connection {
  readonly socket: Duplex;
  readonly peer: Peer;
  /** Null for a connection that is ours for good. */
  readonly lender: Lender | null;
  /** Why its requests are not served, where they are not. */
  readonly objection: RouterError | null;
  /** Something unreadable came: nothing further on it is read as a request. */
  hasFailed = false;
  readonly #activity: Activity | null;
  readonly #open = new Set<Exchange>();

  constructor(socket: Duplex, peer: Peer, { activity = null, lender = null, objection = null }: ConnectionStart = {}) {
    this.socket = socket;
    this.peer = peer;
    this.lender = lender;
    this.objection = objection;
    this.#activity = activity;
    // Node tells only the response that has the socket: those that wait for their turn behind it would stay for ever.
    socket.once('close', () => this.#onClose());
  }

  add(exchange: Exchange): void {
    this.#open.add(exchange);
    this.#activity?.busy();
    void exchange.over.then(() => {
      this.#open.delete(exchange);
      this.lender?.onEnded();
      if (this.#activity !== null) this.#rest(this.#activity, exchange);
    });
  }

  /** An exchange has ended. Its connection is idle when the rest of the request, which is not needed any more, has been read. */
  #rest(activity: Activity, { request }: Exchange): void {
    const rest = (): void => {
      if (this.isIdle) activity.idle();
    };
    if (request.complete || request.destroyed) rest();
    else request.once('close', rest);
  }

  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  /** The exchange whose request is still being received, if there is one: broken bytes are part of its body. */
  get receiving(): Exchange | null {
    for (const exchange of this.#open) if (!exchange.request.complete) return exchange;
    return null;
  }

  /** Resolves when all that are open now have ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#open].map((exchange) => exchange.ended));
  }

  /** The same, for a socket that Node's server has let go of: nobody else would wake an answer that waits for its client. */
  async settledAlone(): Promise<void> {
    this.socket.on('drain', this.#onDrain);
    await this.settled();
    this.socket.off('drain', this.#onDrain);
  }

  readonly #onDrain = (): void => {
    for (const { response } of this.#open) if (response.socket !== null) response.emit('drain');
  };

  #onClose(): void {
    for (const exchange of this.#open) exchange.onClientGone();
  }
}
