import type { Notify } from './store.ts';

const QUIET_MS = 60_000;
const MAX_KNOWN = 1000;

/** Tells of faulty keys, each key and fault once a minute at most. */
export class FaultLog {
  readonly #said = new Map<string, number>();
  readonly #notify: Notify;
  readonly #now: () => number;

  /** @param now milliseconds; only differences count */
  constructor(notify: Notify, now: () => number) {
    this.#notify = notify;
    this.#now = now;
  }

  /** Tells, unless that was done within the last minute. */
  tell(key: string, fault: string): void {
    const now = this.#now();
    const what = `${key}\n${fault}`;
    if (now - (this.#said.get(what) ?? -Infinity) < QUIET_MS) return;
    this.#said.delete(what);
    this.#said.set(what, now);
    if (this.#said.size > MAX_KNOWN) this.#forgetOldest();
    this.#notify({ type: 'route-fault', key, fault });
  }

  #forgetOldest(): void {
    for (const oldest of this.#said.keys()) {
      this.#said.delete(oldest);
      return;
    }
  }
}
