import { MOST_TIMES, restTimes } from '../../core/health/trial.ts';
import type { DeadMark, Entry } from '../dead-marks.ts';
import type { Marking } from '../store.ts';
import { MasterReplies } from './master-replies.ts';

/** A mark, with what the master needs to decide about it. Plain data: it is sent between processes. */
export interface AskedMark {
  readonly mark: DeadMark;
  /** The usable backends of the list. */
  readonly entries: readonly Entry[];
  /** For the trial after the mark; null: there is none. */
  readonly trial: AskedTrial | null;
}

/** What a death means for the next trial. */
export interface AskedTrial {
  /** The backend was on trial when the request was sent. */
  readonly isAgain: boolean;
  /** The time of a mark without trials, ms. */
  readonly ttlMs: number;
}

/** Deaths in a row are counted up to here. */
const MAX_DEATHS = 100;

/**
 * The mark that a death makes. A record for which no trial was due stays as it is: the request was sent before the backend
 * was marked. In Redis, `record` in store/redis/trial-scripts.ts does the same.
 * @param old the URL's mark with the latest trial; null without one
 * @param now ms since 1970
 */
export function markAfter({ mark, trial }: AskedMark, old: DeadMark | null, now: number): DeadMark {
  if (trial === null) return mark;
  const { isAgain, ttlMs } = trial;
  if (old !== null && old.trial !== null && (!isAgain || old.until > now)) {
    return old.id === mark.id ? old : { ...mark, until: old.until, trial: old.trial };
  }
  const deaths = Math.min((old?.trial?.deaths ?? 0) + 1, MAX_DEATHS);
  const until = now + ttlMs * restTimes(deaths);
  return { ...mark, until, trial: { deaths, plainUntil: now + ttlMs, forgottenAt: until + ttlMs * MOST_TIMES } };
}

/** Marks that this worker has asked the master for. One per backend and frontend. */
export class AskedMarks {
  readonly #replies = new MasterReplies<Marking>();

  /** Asks by `send`, unless the same mark is already being asked for. Rejects as MasterReplies. */
  ask(asked: AskedMark, send: (asked: AskedMark) => void): Promise<Marking> {
    return this.#replies.ask(nameOf(asked.mark), () => send(asked));
  }

  /** The master's reply. Does nothing for a mark that was not asked for. */
  answered(mark: DeadMark, marking: Marking): void {
    this.#replies.came(nameOf(mark), marking);
  }
}

function nameOf({ frontend, id }: DeadMark): string {
  return `${id} ${frontend}`;
}
