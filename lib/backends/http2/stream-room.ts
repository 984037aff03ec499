import { Timer, type TimeLimits } from '../../clock/time-limits.ts';

/** How long a cancelled stream counts if the backend does not acknowledge a PING, ms. */
const CONFIRM_MS = 500;
/** How long no streams are added after a refusal, unless one ends, ms; twice as long after each refusal in a row. */
const REST_MS = 100;
const MOST_REST_MS = 400;

/** How a stream ended. `refused`: the backend did not begin it, while the connection accepts others. */
export type StreamEnding = 'ended' | 'cancelled' | 'refused';

/** What the room needs of its connection. */
export interface RoomParts {
  readonly clock: Pick<TimeLimits, 'set' | 'clear'>;
  /** ms; only differences count. */
  readonly now: () => number;
  /** Bytes received so far. */
  readonly received: () => number;
  /** Sends a PING. @param onReply called once, at the latest when the connection closes */
  readonly ping: (onReply: () => void) => void;
  /** There may be room again. */
  readonly onRoom: () => void;
}

/**
 * How many streams a connection to a backend may have, as the backend counts them.
 *
 * The backend counts a cancelled stream until it has processed the RST_STREAM; node:http2 as a server still does when it
 * reads the next frame. At the limit a new stream would be refused. So cancelled streams count until the backend has
 * acknowledged a PING, which is sent when there is no other room.
 *
 * A backend that refuses a stream (RFC 9113 §8.7) has less room than its settings say: no stream is added to those that are
 * open, until one of them ends or a short time has passed.
 */
export class StreamRoom {
  /** Open streams. */
  streams = 0;
  /** By the backend's settings. */
  limit: number;
  readonly #parts: RoomParts;
  /** Cancelled streams that the backend may still count. */
  #cancelled = 0;
  /** How many of them were cancelled before the PING under way, or before the timer was set. */
  #early = 0;
  #isPinging = false;
  /** gRPC's servers close connections that get PINGs while they send nothing: one more than they have sent since. */
  #receivedAtReply = -1;
  readonly #confirmTimer = new Timer(() => this.#onConfirmed());
  /** Open streams when the backend refused one; Infinity otherwise. */
  #most = Infinity;
  #isClosed = false;
  #restMs = REST_MS;
  #restEndedAt = -Infinity;
  readonly #restTimer = new Timer(() => this.#onRested());

  constructor(limit: number, parts: RoomParts) {
    this.limit = limit;
    this.#parts = parts;
  }

  get isFree(): boolean {
    return this.streams + this.#cancelled < this.limit && this.streams < this.#most;
  }

  /** Whether the backend has just refused a stream: another connection would get more load to it, not more room. */
  get isResting(): boolean {
    return this.#most !== Infinity;
  }

  enter(): void {
    this.streams++;
    this.#confirm();
  }

  leave(ending: StreamEnding): void {
    this.streams--;
    if (this.#isClosed) return;
    if (ending === 'refused') return this.#rest();
    if (ending !== 'cancelled') return;
    this.#cancelled++;
    this.#confirm();
    if (this.#early > 0) return;
    this.#early = this.#cancelled;
    this.#parts.clock.set(this.#confirmTimer, CONFIRM_MS);
  }

  /** The connection accepts no more streams. */
  close(): void {
    this.#isClosed = true;
    this.#parts.clock.clear(this.#confirmTimer);
    this.#parts.clock.clear(this.#restTimer);
  }

  #confirm(): void {
    if (this.#cancelled === 0 || this.#isPinging || this.streams + this.#cancelled < this.limit) return;
    if (this.#parts.received() === this.#receivedAtReply) return;
    this.#isPinging = true;
    this.#early = this.#cancelled;
    this.#parts.clock.set(this.#confirmTimer, CONFIRM_MS);
    this.#parts.ping(() => {
      this.#isPinging = false;
      this.#receivedAtReply = this.#parts.received();
      this.#onConfirmed();
    });
  }

  #onConfirmed(): void {
    this.#cancelled -= this.#early;
    this.#early = this.#cancelled;
    if (this.#cancelled > 0) this.#parts.clock.set(this.#confirmTimer, CONFIRM_MS);
    else this.#parts.clock.clear(this.#confirmTimer);
    this.#parts.onRoom();
  }

  #rest(): void {
    const isFirst = this.#most === Infinity;
    this.#most = Math.min(this.#most, this.streams);
    if (!isFirst) return;
    const isAgain = this.#parts.now() - this.#restEndedAt < this.#restMs;
    this.#restMs = isAgain ? Math.min(MOST_REST_MS, 2 * this.#restMs) : REST_MS;
    this.#parts.clock.set(this.#restTimer, this.#restMs);
  }

  #onRested(): void {
    this.#most = Infinity;
    this.#restEndedAt = this.#parts.now();
    this.#parts.onRoom();
  }
}
