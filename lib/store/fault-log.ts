import { Quiet } from '../core/limits/quiet.ts';
import type { Notify } from './store.ts';

const QUIET_MS = 60_000;

/** Reports faulty keys, each key and fault at most once a minute. */
export class FaultLog {
  readonly #quiet = new Quiet(QUIET_MS);
  readonly #notify: Notify;
  readonly #now: () => number;

  /** @param now the current time, ms; only differences matter */
  constructor(notify: Notify, now: () => number) {
    this.#notify = notify;
    this.#now = now;
  }

  /** Reports a fault, unless it was reported within the last minute. */
  tell(key: string, fault: string): void {
    if (this.#quiet.isDue(`${key}\n${fault}`, this.#now())) this.#notify({ type: 'route-fault', key, fault });
  }
}
