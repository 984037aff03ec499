import { Quiet } from '../core/limits/quiet.ts';
import type { Notify } from './store.ts';

const QUIET_MS = 60_000;

/** Tells of faulty keys, each key and fault once a minute at most. */
export class FaultLog {
  readonly #quiet = new Quiet(QUIET_MS);
  readonly #notify: Notify;
  readonly #now: () => number;

  /** @param now milliseconds; only differences count */
  constructor(notify: Notify, now: () => number) {
    this.#notify = notify;
    this.#now = now;
  }

  /** Tells, unless that was done within the last minute. */
  tell(key: string, fault: string): void {
    if (this.#quiet.isDue(`${key}\n${fault}`, this.#now())) this.#notify({ type: 'route-fault', key, fault });
  }
}
