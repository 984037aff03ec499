/** Collects the faults of a configuration, so that an operator can fix all at once. */

/** The configuration is invalid. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Every fault, each one line that starts with its place: `server.workers: must be …`. Never empty. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }

  /**
   * The faults, then a line with the file's path unless a fault has it, or all are of environment variables: the file may
   * be in one of four places.
   */
  lines(path: string): readonly string[] {
    const { faults } = this;
    if (faults.some((fault) => fault.startsWith(path))) return faults;
    const count = faults.filter((fault) => !fault.startsWith('HIPACHE_')).length;
    if (count === 0) return faults;
    return [...faults, `${path} has ${count === 1 ? '1 fault' : `${count} faults`}`];
  }

  /** The error for programs, as `--json` prints it: the first fault like other errors, and all faults. */
  toJSON(): object {
    return { error: { code: 'bad-config', message: this.faults[0] }, faults: this.faults };
  }
}

/** Collects faults. Equal ones are kept once: two listeners with the same broken key have one fault. */
export class Faults {
  readonly #lines = new Set<string>();
  readonly #names = new Map<string, string>();

  /** From now on, faults of this key and what is in it have another name. @param place a key such as `server.workers` */
  rename(place: string, name: string): void {
    this.#names.set(place, name);
  }

  /** @param place a key such as `server.workers`, or a file */
  add(place: string, sentence: string): void {
    this.#lines.add(`${this.#nameOf(place)}: ${sentence}`);
  }

  #nameOf(place: string): string {
    for (const [key, name] of this.#names) {
      if (place === key || place.startsWith(`${key}[`) || place.startsWith(`${key}.`)) {
        return `${name}${place.slice(key.length)}`;
      }
    }
    return place;
  }

  /** @throws ConfigError when there are faults */
  throwIfAny(): void {
    if (this.#lines.size > 0) throw new ConfigError([...this.#lines]);
  }
}
