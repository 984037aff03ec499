/** How long a body may lag behind its minimum rate, ms: connections start slowly. */
const GRACE_MS = 5_000;
/** How far ahead of its minimum rate a body may get, ms: earlier bytes do not compensate for later slowness. */
const AHEAD_MS = 20_000;

/** Whether a request body keeps up its minimum rate. Time in which the backend blocks it does not count. */
export class Pace {
  readonly #msPerByte: number;
  /** The time until which the received bytes satisfy the minimum rate. */
  #paidUntil: number;
  #total: number;
  #blockedAt: number | null = null;

  /**
   * @param minRate bytes per second; 0 for any
   * @param now ms, as everywhere here
   * @param total bytes so far: they do not count
   */
  constructor(minRate: number, now: number, total = 0) {
    this.#msPerByte = minRate === 0 ? Infinity : 1000 / minRate;
    this.#paidUntil = now;
    this.#total = total;
  }

  /** The backend reads nothing for now. */
  blocked(now: number): void {
    this.#blockedAt ??= now;
  }

  /** @param total bytes so far. @returns whether that is too little by now */
  isTooSlow(total: number, now: number): boolean {
    if (this.#blockedAt !== null) {
      this.#paidUntil += now - this.#blockedAt;
      this.#blockedAt = null;
    }
    const gained = total - this.#total;
    this.#total = total;
    if (this.#msPerByte === Infinity) return false;
    this.#paidUntil = Math.min(now + AHEAD_MS, this.#paidUntil + gained * this.#msPerByte);
    return now - this.#paidUntil > GRACE_MS;
  }
}

/** How long a reader may lag behind its minimum rate by default, ms. */
export const READ_LAG_MS = 60_000;

/**
 * Whether a client reads a response at its minimum rate. Only time in which the client holds the response up counts.
 */
export class ReadPace {
  readonly #msPerByte: number;
  readonly #lagMs: number;
  /** How late the bytes read so far were, ms. */
  #lateMs = 0;

  /** @param minRate bytes per second; 0 for any. @param lagMs how far it may fall behind; 0 for `READ_LAG_MS` */
  constructor(minRate: number, lagMs: number) {
    this.#msPerByte = minRate === 0 ? Infinity : 1000 / minRate;
    this.#lagMs = lagMs === 0 ? READ_LAG_MS : lagMs;
  }

  /**
   * The client has read `bytes` after it had held the response up for `heldMs`.
   * @param lagMs instead of that of the constructor
   * @returns whether that is too slow
   */
  isTooSlow(bytes: number, heldMs: number, lagMs = this.#lagMs): boolean {
    this.#lateMs = Math.max(0, this.#lateMs + heldMs - bytes * this.#msPerByte);
    return this.#lateMs > lagMs;
  }
}
