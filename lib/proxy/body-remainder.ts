/** Handles the rest of a request's body after the response was sent. */
import { ClientRequest } from 'node:http';
import { Socket } from 'node:net';
import { Pace } from '../core/limits/pace.ts';
import type { ConnectionSlot } from '../backends/slots/backend-slots.ts';
import type { Hold } from '../backends/slots/slot-hold.ts';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import type { BackendRequest } from '../backends/backend-request.ts';
import type { BodyProgress } from './body.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeLimits } from '../core/limits/exchange-limits.ts';

export interface RemainderParts {
  readonly clock: TimeLimits;
  readonly limits: Pick<ExchangeLimits, 'bodyMs' | 'firstByteMs' | 'bodyBytes' | 'bodyMinRate'>;
}

/** A request to a backend, and its connection slot. */
interface Asked {
  readonly out: BackendRequest;
  readonly slot: ConnectionSlot;
}

/**
 * Handles the rest of a body after the response. A backend that still reads gets it; otherwise it is read and
 * dropped, so that the client is not reset before it has read the response (RFC 9112 §9.6). Limits: `timeouts.body`
 * for each part and the minimum rate for the client; `timeouts.firstByte` for a backend that reads nothing. When
 * other requests need the backend's slot, a slow upload is cut off from the backend.
 * @param asked the request whose response has ended, and its slot; null when no backend was asked
 */
export function passRemainder(exchange: Exchange, asked: Asked | null, parts: RemainderParts): void {
  // The fast lane reads and drops the rest.
  if (asked === null && exchange.isHandedOff) return;
  const rest = new BodyRemainder(exchange, asked, parts);
  exchange.remainder = rest.over;
  rest.start();
}

class BodyRemainder implements BodyProgress {
  readonly over: Promise<void>;
  readonly #exchange: Exchange;
  readonly #parts: RemainderParts;
  readonly #limits: RemainderParts['limits'];
  readonly #timer = new Timer(() => this.#onTimeout());
  readonly #pace: Pace;
  #out: BackendRequest | null;
  readonly #hold: Hold | null;
  /** The backend's socket with HTTP/1.1: Node has removed its listeners. */
  readonly #backendSocket: Socket | null;
  #isBlocked = false;
  #isOver = false;
  #end: () => void = () => {};

  constructor(exchange: Exchange, asked: Asked | null, parts: RemainderParts) {
    const out = asked?.out ?? null;
    this.#exchange = exchange;
    this.#parts = parts;
    this.#limits = exchange.limits ?? parts.limits;
    this.#out = out;
    this.#hold = asked?.slot.hold(() => this.#out?.destroy()) ?? null;
    this.#backendSocket = out instanceof ClientRequest ? out.socket : null;
    this.#pace = new Pace(this.#limits.bodyMinRate, performance.now(), exchange.body.bytes);
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  start(): void {
    const { request, response, body, ended } = this.#exchange;
    request.socket.once('close', this.#onClientGone);
    // Without a listener Node would apply the time limit of idle connections.
    request.on('timeout', this.#onIdle);
    response.once('finish', this.#halfClose);
    void ended.then(() => {
      if (!this.#isOver) this.#exchange.onInterrupt = () => this.#cut();
    });
    this.#set(this.#limits.bodyMs);
    const out = this.#out;
    if (out === null) return this.#drop();
    out.once('close', this.#onBackendGone);
    this.#backendSocket?.on('drain', this.#onBackendDrained).on('data', this.#onBackendBytes);
    if (out.destroyed) return this.#onBackendGone();
    this.#hold?.begin(performance.now(), body.bytes);
    body.goOn(this);
  }

  onBytes(total: number): void {
    const { bodyMs, bodyBytes } = this.#limits;
    const now = performance.now();
    this.#hold?.onBytes(total, now);
    this.#isBlocked = false;
    this.#set(bodyMs);
    if (this.#pace.isTooSlow(total, now)) this.#cut();
    else if (bodyBytes > 0 && total > bodyBytes) this.#out?.destroy();
  }

  onBlocked(): void {
    this.#isBlocked = true;
    this.#pace.blocked(performance.now());
    this.#hold?.stop();
    this.#set(this.#limits.firstByteMs);
  }

  /** The body is complete and was given to the backend. */
  onSent(): void {
    this.#finish();
    const { socket } = this.#exchange.request;
    if (socket.writableEnded) socket.destroy();
    // The backend may still have to read it.
    if (this.#out !== null) this.#parts.clock.set(this.#timer, this.#limits.firstByteMs);
  }

  #set(limitMs: number): void {
    if (!this.#isOver) this.#parts.clock.set(this.#timer, limitMs);
  }

  #drop(): void {
    this.#isBlocked = false;
    // The fast lane drops it for its connections.
    if (this.#exchange.isHandedOff) this.#finish();
    else this.#exchange.body.drop(this);
  }

  readonly #onBackendGone = (): void => {
    this.#out = null;
    this.#hold?.end();
    this.#backendSocket?.off('drain', this.#onBackendDrained).off('data', this.#onBackendBytes);
    if (this.#isOver) this.#parts.clock.clear(this.#timer);
    else this.#drop();
  };

  readonly #onBackendDrained = (): void => this.#exchange.body.drained();

  /** The bytes belong to no request: the backend has misread the body. */
  readonly #onBackendBytes = (): void => {
    this.#out?.destroy();
  };

  readonly #onClientGone = (): void => {
    this.#out?.destroy();
    this.#finish();
  };

  readonly #onIdle = (): void => {};

  /**
   * If the response closes the connection, Node would destroy it now. Instead only our side is ended, and the body is
   * read on.
   */
  readonly #halfClose = (): void => {
    const { socket } = this.#exchange.request;
    // oxlint-disable-next-line typescript/unbound-method -- Node has added it as a listener (Socket.destroySoon), as it is
    if (socket instanceof Socket && !this.#isOver) socket.off('finish', socket.destroy);
  };

  #onTimeout(): void {
    if (this.#isOver || this.#isBlocked) this.#out?.destroy();
    else this.#cut();
  }

  #cut(): void {
    this.#out?.destroy();
    this.#exchange.request.socket.destroy();
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#hold?.end();
    const { request, response } = this.#exchange;
    this.#parts.clock.clear(this.#timer);
    request.socket.off('close', this.#onClientGone);
    request.off('timeout', this.#onIdle);
    response.off('finish', this.#halfClose);
    this.#exchange.onInterrupt = null;
    this.#end();
  }
}
