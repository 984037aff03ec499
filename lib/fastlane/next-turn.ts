/** Something that waits for the event loop to have read what had come. */
export interface TurnWaiter {
  onTurn(): void;
}

/** Calls back when the events have been handled that the system has reported: one `setImmediate` for all that wait. */
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
