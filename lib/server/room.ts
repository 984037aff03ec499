/** Told when connections may come, and when none may. */
export interface Roomy {
  onFull(): void;
  onRoom(): void;
}

/** How many connections a worker serves at a time, through all its doors. */
export class Room {
  readonly #limit: number;
  /** From this number on, when it was full, others may come. */
  readonly #again: number;
  readonly #doors: Roomy[] = [];
  #inside = 0;
  #isFull = false;
  #onEmpty: () => void = () => {};

  /** @param limit Infinity for any number */
  constructor(limit: number) {
    this.#limit = limit;
    // Not at each that leaves: to stop and to begin again costs more than a request.
    this.#again = limit - 1 - Math.floor(limit / 32);
  }

  /** How many connections there are. */
  get inside(): number {
    return this.#inside;
  }

  add(door: Roomy): void {
    this.#doors.push(door);
  }

  /** Resolves when nobody is inside; calls of one are not for two. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      if (this.#inside === 0) resolve();
    });
  }

  enter(): void {
    this.#inside++;
    if (this.#inside < this.#limit || this.#isFull) return;
    this.#isFull = true;
    for (const door of this.#doors) door.onFull();
  }

  leave(): void {
    this.#inside--;
    if (this.#inside === 0) this.#onEmpty();
    if (!this.#isFull || this.#inside > this.#again) return;
    this.#isFull = false;
    for (const door of this.#doors) door.onRoom();
  }
}
