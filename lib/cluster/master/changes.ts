/** A new configuration for the same program, or the program anew. */
export interface ChangeParts {
  readonly reload: () => Promise<void>;
  readonly upgrade: () => Promise<void>;
  /** Whether it is too late for any. */
  readonly isOver: () => boolean;
}

/** One change at a time. However many signals come during one, they make for one more of each kind. */
export class Changes {
  readonly #parts: ChangeParts;
  readonly #wanted = new Set<'reload' | 'upgrade'>();
  #isMaking = false;

  /** None of the parts may throw. */
  constructor(parts: ChangeParts) {
    this.#parts = parts;
  }

  /** Asks for a change. @param beginning what it has to wait for */
  want(change: 'reload' | 'upgrade', beginning: Promise<void>): void {
    this.#wanted.add(change);
    if (!this.#isMaking) void this.#make(beginning);
  }

  async #make(beginning: Promise<void>): Promise<void> {
    this.#isMaking = true;
    await beginning;
    while (this.#wanted.size > 0 && !this.#parts.isOver()) {
      // The program anew reads its configuration anew, too.
      const change = this.#wanted.has('upgrade') ? 'upgrade' : 'reload';
      this.#wanted.delete(change);
      await this.#parts[change]();
    }
    this.#isMaking = false;
  }
}
