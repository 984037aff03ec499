import { Bursts, type Suppressed } from './bursts.ts';

/** Bursts with a timer: reports suppressed lines as soon as their window is over. */
export class Throttle {
  readonly #bursts = new Bursts();
  readonly #tell: (left: Suppressed) => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;

  /** @param now the current time, ms; only differences matter */
  constructor(tell: (left: Suppressed) => void, now: () => number) {
    this.#tell = tell;
    this.#now = now;
  }

  /** As `Bursts.isFull`. */
  isFull(name: string): boolean {
    if (!this.#bursts.isFull(name, this.#now())) return false;
    if (this.#timer === null) this.#wait();
    return true;
  }

  /** As `Bursts.logged`. */
  logged(name: string): void {
    this.#bursts.logged(name, this.#now());
  }

  /** Reports everything that is suppressed, before the process exits. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const left of this.#bursts.take(this.#now(), true)) this.#tell(left);
  }

  #wait(): void {
    const due = this.#bursts.dueIn(this.#now());
    this.#timer = due === null ? null : setTimeout(() => this.#onDue(), Math.ceil(due)).unref();
  }

  #onDue(): void {
    for (const left of this.#bursts.take(this.#now())) this.#tell(left);
    this.#wait();
  }
}
