/** The changes of a running router: a new configuration (reload), or a new program (upgrade). */
export interface ChangeParts {
  readonly reload: () => Promise<void>;
  readonly upgrade: () => Promise<void>;
  /** Whether the router is stopping, so that no change is made any more. */
  readonly isOver: () => boolean;
}

/** Makes one change at a time. Signals that come during a change cause one more change of each kind. */
export class Changes {
  readonly #parts: ChangeParts;
  readonly #wanted = new Set<'reload' | 'upgrade'>();
  #isMaking = false;

  /** None of the parts may throw. */
  constructor(parts: ChangeParts) {
    this.#parts = parts;
  }

  /** Requests a change. @param beginning resolves when the router has started */
  want(change: 'reload' | 'upgrade', beginning: Promise<void>): void {
    this.#wanted.add(change);
    if (!this.#isMaking) void this.#make(beginning);
  }

  async #make(beginning: Promise<void>): Promise<void> {
    this.#isMaking = true;
    await beginning;
    while (this.#wanted.size > 0 && !this.#parts.isOver()) {
      // A new program reads its configuration, too.
      const change = this.#wanted.has('upgrade') ? 'upgrade' : 'reload';
      this.#wanted.delete(change);
      await this.#parts[change]();
    }
    this.#isMaking = false;
  }
}
