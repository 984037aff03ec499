/** The outcome of each kind of change to the running router, for the admin interface. */
import type { ChangeOutcome } from '../core/record/change-record.ts';
import type { ChangeAnswer, ChangesAnswer } from './answers.ts';

/** The last attempt of each kind; null when there was none. Plain data. */
export interface Changes {
  /** SIGHUP. The start of the program counts as the first. */
  readonly reload: ChangeOutcome | null;
  /** SIGUSR2. */
  readonly upgrade: ChangeOutcome | null;
  /** The routes file, each time it has changed. */
  readonly routes: ChangeOutcome | null;
  /** SIGUSR1: reopening the access log. */
  readonly logs: ChangeOutcome | null;
  /** `cache.snapshot`, each time it is written. */
  readonly snapshot: ChangeOutcome | null;
}

const REFUSED: Readonly<Record<keyof Changes, string>> = {
  reload: 'reload refused',
  upgrade: 'upgrade refused',
  routes: 'routes file refused',
  logs: 'access log not reopened',
  snapshot: 'snapshot not written',
};

/** The kinds whose last attempt was refused, each with its reason. */
export function refusals(changes: Changes): readonly string[] {
  return Object.entries(REFUSED).flatMap(([kind, name]) => {
    const reason = changes[kind as keyof Changes]?.reason ?? null;
    return reason === null ? [] : [`${name}: ${reason}`];
  });
}

/** The outcomes as the admin API has them, with ISO 8601 times. */
export function changesAnswer({ reload, upgrade, routes, logs, snapshot }: Changes): ChangesAnswer {
  return {
    reload: answerFor(reload),
    upgrade: answerFor(upgrade),
    routes: answerFor(routes),
    logs: answerFor(logs),
    snapshot: answerFor(snapshot),
  };
}

function answerFor(last: ChangeOutcome | null): ChangeAnswer | null {
  if (last === null) return null;
  const { at, reason, madeAt } = last;
  const lastMade = madeAt === null ? null : isoTime(madeAt);
  return { outcome: reason === null ? 'made' : 'refused', time: isoTime(at), reason, lastMade };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
