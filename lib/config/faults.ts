/** Collects the faults of a configuration, so that an operator can fix all at once. */

/** A configuration that cannot be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Every fault found, each one line that begins with its place: `server.workers: must be …`. Never empty. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }

  /** The faults, then a line that says which file has them, unless they do: it may be in one of four places. */
  lines(path: string): readonly string[] {
    const { faults } = this;
    if (faults.some((fault) => fault.startsWith(path))) return faults;
    return [...faults, `${path} has ${faults.length === 1 ? '1 fault' : `${faults.length} faults`}`];
  }

  /** For programs, what `--json` prints: the first fault as other errors are, and all of them. */
  toJSON(): object {
    return { error: { code: 'bad-config', message: this.faults[0] }, faults: this.faults };
  }
}

/** Collects faults. Each is kept once: two listeners that share a broken key have one fault. */
export class Faults {
  readonly #lines = new Set<string>();

  /** @param place a key such as `server.workers`, or a file */
  add(place: string, sentence: string): void {
    this.#lines.add(`${place}: ${sentence}`);
  }

  /** @throws ConfigError when there is any */
  throwIfAny(): void {
    if (this.#lines.size > 0) throw new ConfigError([...this.#lines]);
  }
}
