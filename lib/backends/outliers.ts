import { failureOf, isOutlier, mostResting, SLICES, WindowCounts } from '../core/health/outlier.ts';
import { MOST_TIMES, restTimes } from '../core/health/trial.ts';
import type { RestingBackends } from '../core/routing/choice.ts';
import type { EjectRule } from '../core/routing/site.ts';
import { describeOutcome } from '../core/health/verdict.ts';
import type { Backend, Death, Outcome } from '../core/routing/types.ts';

/** A backend of a list that rests, or has rested. Times in ms. */
interface Rest {
  readonly until: number;
  /** How often in a row. */
  readonly times: number;
}

/** What this worker has counted of the backends of a list. By id. */
interface ListCounts {
  readonly rule: EjectRule;
  readonly all: WindowCounts;
  readonly own: Map<number, WindowCounts>;
  readonly rests: Map<number, Rest>;
  /** When the last rest ends. */
  restsUntil: number;
}

/** A backend begins to rest. */
export interface Ejection {
  readonly death: Death;
  readonly restSeconds: number;
  readonly requests: number;
  readonly failures: number;
  /** Its last failure. */
  readonly why: string;
}

/**
 * Counts the failures of sites with `eject`, and rests backends that fail far more often than their siblings: in this worker
 * alone, and at most half of a list at a time.
 */
export class Outliers implements RestingBackends {
  /** By the backends of a list: of a list that has changed, or is not used any more, nothing is kept. */
  readonly #lists = new WeakMap<readonly Backend[], ListCounts>();
  readonly #now: () => number;
  readonly #onEjection: (ejection: Ejection) => void;

  /** @param now ms; only differences count */
  constructor(now: () => number, onEjection: (ejection: Ejection) => void) {
    this.#now = now;
    this.#onEjection = onEjection;
  }

  among(backends: readonly Backend[], alive: readonly Backend[]): readonly Backend[] {
    const list = this.#lists.get(backends);
    if (list === undefined) return alive;
    const now = this.#now();
    if (list.restsUntil <= now) return alive;
    const awake = alive.filter(({ id }) => (list.rests.get(id)?.until ?? 0) <= now);
    return awake.length > 0 ? awake : alive;
  }

  /** An attempt has ended. @param rule of the site */
  ended(death: Death, outcome: Outcome, rule: EjectRule): void {
    const isFailed = failureOf(rule, outcome);
    if (isFailed === null) return;
    const { id } = death.backend;
    const list = this.#listOf(death.route.backends, rule);
    const own = list.own.get(id) ?? new WindowCounts();
    list.own.set(id, own);
    const now = this.#now();
    const slice = Math.floor((now * SLICES) / rule.windowMs);
    own.add(isFailed, slice);
    list.all.add(isFailed, slice);
    if (!isFailed) return;
    const counts = own.total(slice);
    const all = list.all.total(slice);
    const others = { requests: all.requests - counts.requests, failures: all.failures - counts.failures };
    if (!isOutlier(counts, others, rule)) return;
    const restMs = rest(list, death, now);
    if (restMs === null) return;
    this.#onEjection({ death, restSeconds: restMs / 1000, ...counts, why: describeOutcome(outcome) });
  }

  #listOf(backends: readonly Backend[], rule: EjectRule): ListCounts {
    const known = this.#lists.get(backends);
    // The rule is an object of the site: another one when the site has changed, and each prefix may have its own.
    if (known !== undefined && isSame(known.rule, rule)) return known;
    const list = { rule, all: new WindowCounts(), own: new Map(), rests: new Map(), restsUntil: 0 };
    this.#lists.set(backends, list);
    return list;
  }
}

/** Begins a rest. @returns for how long, ms; null where it rests already, or too many of the list do */
function rest(list: ListCounts, { route, backend }: Death, now: number): number | null {
  const { rests, rule } = list;
  const resting = [...rests.values()].filter(({ until }) => until > now).length;
  const before = rests.get(backend.id);
  if ((before?.until ?? 0) > now || resting >= mostResting(route.backends.length)) return null;
  const isAgain = before !== undefined && now - before.until < MOST_TIMES * rule.windowMs;
  const times = isAgain ? before.times + 1 : 1;
  const ms = rule.windowMs * restTimes(times);
  rests.set(backend.id, { until: now + ms, times });
  list.restsUntil = Math.max(list.restsUntil, now + ms);
  return ms;
}

function isSame(a: EjectRule, b: EjectRule): boolean {
  return a === b || (a.kind === b.kind && a.share === b.share && a.windowMs === b.windowMs && a.least === b.least);
}
