/** Maximum number of names remembered; the oldest is dropped first. */
const MAX_KNOWN = 1_000;

/** Suppresses repeated messages: a name is due once, and then not for a while. */
export class Quiet {
  readonly #quietMs: number;
  readonly #said = new Map<string, number>();

  constructor(quietMs: number) {
    this.#quietMs = quietMs;
  }

  /** Whether a name is due; then it is not for the next while. @param now ms; only differences count */
  isDue(name: string, now: number): boolean {
    if (now - (this.#said.get(name) ?? -Infinity) < this.#quietMs) return false;
    this.#said.delete(name);
    this.#said.set(name, now);
    if (this.#said.size > MAX_KNOWN) {
      for (const oldest of this.#said.keys()) {
        this.#said.delete(oldest);
        break;
      }
    }
    return true;
  }
}
