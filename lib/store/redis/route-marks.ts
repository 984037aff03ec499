import { withTrials } from '../../core/health/trial.ts';
import { withChecked } from '../../core/health/checked.ts';
import { type Marks, NO_MARKS, type RouteList } from '../../core/routing/backend.ts';
import type { Found } from './codec.ts';
import { countedMarks } from './marks.ts';
import { recordsOf, type RedisTrials } from './trials.ts';

/** A mark and its record on two nodes are read within this time of each other, ms. */
const LAG_MS = 1_000;

/** Decides from what a lookup has read which backends of a route are dead, and which of them are on trial. */
export class RouteMarks {
  readonly #trials: RedisTrials;
  /** Whether a backend needs a trial after it was marked dead. */
  readonly hasTrials: boolean;
  readonly #lagMs: number;
  readonly #onFault: (frontend: string, fault: string) => void;

  /**
   * @param settings `isOn`: whether backends need trials. `isOneServer`: one server has all keys, so that they are read at one
   *   instant
   * @param onFault called when the key of a frontend's dead marks is no set
   */
  constructor(
    trials: RedisTrials,
    settings: { readonly isOn: boolean; readonly isOneServer: boolean },
    onFault: (frontend: string, fault: string) => void,
  ) {
    this.#trials = trials;
    this.hasTrials = settings.isOn;
    this.#lagMs = settings.isOneServer ? 0 : LAG_MS;
    this.#onFault = onFault;
  }

  of(
    frontend: string,
    { dead, marks, records, ...checked }: Pick<Found, 'dead' | 'marks' | 'records' | 'unchecked' | 'down'>,
    list: RouteList,
  ): Marks {
    const counted = this.#counted(frontend, dead, marks, list);
    if (records.length === 0 || !this.hasTrials) return withChecked(counted, checked, list);
    const tried = withTrials(counted, list, recordsOf(records), performance.now(), this.#lagMs);
    if (tried.removed.length > 0) this.#trials.drop(frontend, tried.removed);
    return withChecked(tried.marks, checked, list);
  }

  #counted(frontend: string, dead: Found['dead'], urls: readonly string[], list: RouteList): Marks {
    if (typeof dead !== 'string') return dead.length === 0 ? NO_MARKS : countedMarks(dead, urls, list);
    this.#onFault(frontend, `holds a ${dead}, not a set; no backend counts as dead`);
    return NO_MARKS;
  }
}
