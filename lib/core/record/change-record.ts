/** What came of the last attempt to change the running router in one way. Plain data; times in ms since the epoch. */
export interface ChangeOutcome {
  /** When it was made or refused. */
  readonly at: number;
  /** Why it was refused, so that what was before goes on; null when it was made. */
  readonly reason: string | null;
  /** When it was last made; null for never. */
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
