import { RouterError } from '../core/errors.ts';
import { Pace } from '../core/limits/pace.ts';
import type { ExchangeLimits } from '../core/limits/exchange-limits.ts';
import type { ConnectionSlot } from '../backends/slots/backend-slots.ts';
import type { Hold } from '../backends/slots/slot-hold.ts';
import type { BackendRequest } from '../backends/backend-request.ts';
import type { Timer } from '../clock/time-limits.ts';
import type { BodyProgress } from './body.ts';
import type { Exchange } from './exchange.ts';
import type { AttemptParts } from './parts.ts';

/** What the body is sent for. */
export interface UploadOwner {
  /** All of the body was given to the backend. Called once. */
  onBodySent(): void;
}

/**
 * Keeps the limits of a request's body on its way to a backend: its size, the time for each part, its minimum rate, and the
 * time for which it holds the connection slot while others need it. A body past one of them interrupts the exchange.
 */
export class UploadProgress implements BodyProgress {
  readonly #exchange: Exchange;
  readonly #parts: AttemptParts;
  readonly #limits: ExchangeLimits;
  readonly #timer: Timer;
  readonly #owner: UploadOwner;
  readonly #pace: Pace;
  readonly #hold: Hold;
  #isOver = false;

  /** @param timer set for each part that is awaited, from the client or by the backend */
  constructor(exchange: Exchange, parts: AttemptParts, slot: ConnectionSlot, timer: Timer, owner: UploadOwner) {
    this.#exchange = exchange;
    this.#parts = parts;
    this.#limits = exchange.limits ?? parts.limits;
    this.#timer = timer;
    this.#owner = owner;
    const now = performance.now();
    this.#pace = new Pace(this.#limits.bodyMinRate, now);
    this.#hold = slot.hold(() => this.giveUp('the request body held a slot that others needed'));
    this.#hold.begin(now);
  }

  /** Sends the body. */
  begin(out: BackendRequest): void {
    this.#parts.clock.set(this.#timer, this.#limits.bodyMs);
    this.#exchange.body.feed(out, this);
  }

  onBytes(total: number): void {
    const limits = this.#limits;
    if (limits.bodyBytes > 0 && total > limits.bodyBytes) {
      this.#exchange.interrupt(new RouterError('body-too-large', `a body of more than ${limits.bodyBytes} bytes`));
      return;
    }
    if (this.#isOver) return;
    this.#parts.clock.set(this.#timer, limits.bodyMs);
    const now = performance.now();
    this.#hold.onBytes(total, now);
    if (this.#pace.isTooSlow(total, now)) this.giveUp('the request body came too slowly');
  }

  onBlocked(): void {
    // From now on the backend is awaited.
    if (this.#isOver) return;
    this.#parts.clock.set(this.#timer, this.#limits.firstByteMs);
    this.#pace.blocked(performance.now());
    this.#hold.stop();
  }

  onSent(): void {
    if (this.#isOver) return;
    this.end();
    this.#owner.onBodySent();
  }

  /** The client is too slow. */
  giveUp(why: string): void {
    this.#exchange.interrupt(new RouterError('request-timeout', why));
  }

  /** Only the size of the body still counts. Idempotent. */
  end(): void {
    this.#isOver = true;
    this.#hold.end();
  }
}
