/** The result of the last attempt at one kind of change to the running router. Plain data; times in epoch ms. */
export interface ChangeOutcome {
  /** When the change was made or rejected. */
  readonly at: number;
  /** Why the change was rejected and the previous state kept; null when it was made. */
  readonly reason: string | null;
  /** When such a change was last made; null for never. */
  readonly madeAt: number | null;
}

/** Remembers the last attempt at one kind of change. */
export class ChangeRecord {
  readonly #now: () => number;
  #last: ChangeOutcome | null = null;

  /** @param now ms since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  made(): void {
    const at = this.#now();
    this.#last = { at, reason: null, madeAt: at };
  }

  refused(reason: string): void {
    this.#last = { at: this.#now(), reason, madeAt: this.#last?.madeAt ?? null };
  }

  /** Null when there was no attempt yet. */
  get last(): ChangeOutcome | null {
    return this.#last;
  }
}
