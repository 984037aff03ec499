/** Called after the event loop has handled the reads that were pending. */
export interface TurnWaiter {
  onTurn(): void;
}

/** Calls all waiters after the pending reads were handled, with a single `setImmediate`. */
export class NextTurn {
  #waiting: TurnWaiter[] = [];

  /** Calls `waiter` once, in this turn of the event loop, after its reads. */
  wait(waiter: TurnWaiter): void {
    this.#waiting.push(waiter);
    if (this.#waiting.length === 1) setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.onTurn();
  };
}
