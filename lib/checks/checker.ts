import { type TimeLimits, Timer } from '../clock/time-limits.ts';
import { writeResult } from '../core/health/check-result.ts';
import { actionFor, advance, markLife, offsetOf } from '../core/health/check-rules.ts';
import { RouterError } from '../core/errors.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import type { Shown } from '../backends/checks/answer.ts';
import type { ProbeTarget } from '../backends/checks/probe.ts';
import {
  type CheckOutcome,
  type CheckReport,
  type CheckSource,
  type CheckTurn,
  keepResultsMs,
} from '../store/checks.ts';
import type { CheckEvent } from './check-event.ts';
import { CheckQueue } from './check-queue.ts';
import { type CheckedBackend, checkedBackends } from './checked-backends.ts';
import { PendingChecks } from './pending-checks.ts';

/** From one turn to the next, ms. Results wait for it, and lists that are due. */
const TURN_MS = 500;
/** The same while there are no checks: none is configured, another health checker runs, or Redis does not reply. */
const IDLE_MS = 1_000;
/** The same after Redis has refused checks. */
const OFF_MS = 30_000;
/** How many lists a turn takes. With so many, the next turn follows at once. */
const MAX_LISTS = 100;
/** How many reports a turn files. */
const MAX_REPORTS = 500;

/** A check under way; see `Probe`. */
interface Running {
  cancel(): void;
}

/** The dependencies of a Checker. */
export interface CheckerParts {
  readonly source: CheckSource;
  /** Begins a check. `onShown` is called later, once. */
  readonly probe: (target: ProbeTarget, onShown: (shown: Shown) => void) => Running;
  readonly clock: TimeLimits;
  /** The name of this router in results. */
  readonly router: string;
  readonly notify: (event: CheckEvent) => void;
  /** Called after each check. */
  readonly onChecked: (hasPassed: boolean) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A result that waits for the next turn. */
interface Unfiled {
  readonly report: CheckReport;
  readonly event: (outcome: CheckOutcome) => CheckEvent | null;
}

/**
 * Makes the active checks of a router: takes lists that are due from the store, checks their backends, spread over the
 * interval, and files the results.
 */
export class Checker {
  readonly #parts: CheckerParts;
  /** Checks whose time has not come. */
  readonly #waiting = new Set<Timer>();
  readonly #queue = new CheckQueue();
  readonly #pending = new PendingChecks();
  readonly #running = new Set<Running>();
  #unfiled: Unfiled[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Reported to the operator. */
  #said: { readonly isPaused: boolean; readonly off: string | null } = { isPaused: false, off: null };

  constructor(parts: CheckerParts) {
    this.#parts = parts;
    this.#later(0);
  }

  /** Ends all checks; what they have shown is not filed. Another router has the lists with their next interval. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const timer of this.#waiting) this.#parts.clock.clear(timer);
    this.#waiting.clear();
    this.#queue.clear();
    this.#pending.clear();
    for (const running of this.#running) running.cancel();
    this.#running.clear();
    this.#parts.source.close();
  }

  #later(ms: number): void {
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#turn(), ms).unref();
  }

  async #turn(): Promise<void> {
    const { source } = this.#parts;
    const filed = this.#unfiled.splice(0, MAX_REPORTS);
    let turn: CheckTurn;
    try {
      turn = await source.turn(
        filed.map(({ report }) => report),
        this.#pending.isFull ? 0 : MAX_LISTS,
      );
    } catch (error) {
      if (!(error instanceof RouterError)) throw error;
      // Results are not kept: they would be old when the store replies, and the backends are due again.
      return this.#later(IDLE_MS);
    }
    if (this.#isClosed) return;
    this.#report(turn);
    for (const [i, { event }] of filed.entries()) this.#notify(event(turn.outcomes[i] ?? 'failed'));
    for (const due of turn.due) {
      for (const checked of checkedBackends(due)) this.#schedule(checked);
    }
    this.#later(this.#pause(turn));
  }

  #pause({ off, isPaused, lists, due }: CheckTurn): number {
    if (off !== null) return OFF_MS;
    if (isPaused || (lists === 0 && this.#unfiled.length === 0)) return IDLE_MS;
    return due.length === MAX_LISTS || this.#unfiled.length >= MAX_REPORTS ? 0 : TURN_MS;
  }

  #report({ isPaused, off, lists }: CheckTurn): void {
    const said = this.#said;
    this.#said = { isPaused, off };
    if (off !== null && off !== said.off) this.#notify({ type: 'checks-off', cause: off });
    if (isPaused && !said.isPaused) this.#notify({ type: 'checks-paused' });
    const isOn = !isPaused && off === null;
    if (isOn && (said.isPaused || said.off !== null)) this.#notify({ type: 'checks-resumed', lists });
  }

  #notify(event: CheckEvent | null): void {
    if (event !== null) this.#parts.notify(event);
  }

  #schedule(checked: CheckedBackend): void {
    const { key, url, rules, state } = checked;
    const site = siteOf(key);
    if (!this.#pending.add(site, nameOf(checked))) return;
    // It gets no traffic before.
    const isUrgent = rules.first && state.is === 'new' && state.streak === 0;
    const timer = new Timer(() => {
      this.#waiting.delete(timer);
      this.#queue.add(site, () => this.#check(checked));
    });
    // In steps of the clock: checks that begin together cost far less than each by itself.
    this.#parts.clock.set(timer, Math.max(1, isUrgent ? 0 : offsetOf(key, url, rules)));
    this.#waiting.add(timer);
  }

  #check(checked: CheckedBackend): void {
    const { key, backend, rules, host } = checked;
    const site = siteOf(key);
    const begun = performance.now();
    const running = this.#parts.probe({ backend, rules, host }, (shown) => {
      this.#running.delete(running);
      this.#pending.delete(site, nameOf(checked));
      this.#parts.onChecked(shown.hasPassed);
      this.#unfiled.push(this.#result(checked, shown, performance.now() - begun));
      this.#queue.ended(site);
    });
    this.#running.add(running);
  }

  #result(checked: CheckedBackend, { hasPassed, detail }: Shown, tookMs: number): Unfiled {
    const { key, url, entry, backend, rules, state: before, isMarked, unusable } = checked;
    const state = advance(before, hasPassed, isMarked, rules);
    const at = this.#parts.now();
    const result = writeResult({ state, hasPassed, detail, at, tookMs, router: this.#parts.router });
    const action = actionFor(state, isMarked, hasPassed);
    const keepMs = keepResultsMs(rules);
    const isTurned = state.is !== before.is;
    return {
      report: {
        key,
        url,
        entry,
        result,
        isGood: rules.first && state.is === 'up',
        action,
        life: markLife(rules),
        keepMs,
        unusable,
      },
      event: (outcome) => {
        const isDown = state.is === 'down' && !hasPassed && (outcome === 'marked' || isTurned);
        if (isDown) return { type: 'check-failed', key, backend, detail, outcome };
        const isUp = state.is === 'up' && (outcome === 'cleared' || before.is === 'down');
        return isUp ? { type: 'check-passed', key, backend, detail, outcome } : null;
      },
    };
  }
}

/** A backend of a list: no key has a space in it. */
function nameOf({ key, url }: CheckedBackend): string {
  return `${key} ${url}`;
}
