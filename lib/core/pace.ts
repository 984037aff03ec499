/** How long a body may be slower than its least rate, ms: connections start slowly. */
const GRACE_MS = 5_000;

/** Whether a request body keeps up its least rate, the time that its backend made it wait left out. */
export class Pace {
  readonly #bytesPerMs: number;
  #startedAt: number;
  #blockedAt: number | null = null;

  /** @param minRate bytes per second; 0 for any. @param now ms, as everywhere here */
  constructor(minRate: number, now: number) {
    this.#bytesPerMs = minRate / 1000;
    this.#startedAt = now;
  }

  /** The backend takes nothing for now. */
  blocked(now: number): void {
    this.#blockedAt ??= now;
  }

  /** @param total bytes so far. @returns whether that is too little by now */
  isTooSlow(total: number, now: number): boolean {
    if (this.#blockedAt !== null) {
      this.#startedAt += now - this.#blockedAt;
      this.#blockedAt = null;
    }
    return total < this.#bytesPerMs * (now - this.#startedAt - GRACE_MS);
  }
}
