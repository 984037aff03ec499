/** What all workers together know of the backends of a frontend. */
import type { BackendSnapshot } from '../backends/state/backend-states.ts';
import { isDialled, serverOf } from '../core/routing/backend.ts';
import { parseBackend } from '../core/routing/backend-url.ts';
import { inTheClear } from '../core/routing/legacy-scheme.ts';
import type { UrlRules } from '../core/routing/url-rules.ts';
import { ratesOf } from '../core/record/recent-activity.ts';
import type { ActivityView, BackendActivity, BackendView, FailureView } from '../diagnostics/explanation.ts';
import type { WorkerQueries } from './workforce.ts';

/** Of so many backends at most. */
const MAX_BACKENDS = 1_000;
/** How many failures are shown of each. */
const MAX_FAILURES = 10;

/** A worker's record of a backend. */
interface WorkerRecord {
  readonly pid: number;
  readonly snapshot: BackendSnapshot;
}

/** Asks the workers what they know of backends. A worker that does not reply in time is left out. */
export async function activityOf(
  backends: readonly Pick<BackendView, 'id' | 'url'>[],
  urls: UrlRules,
  workerQueries: Pick<WorkerQueries, 'ask'>,
): Promise<ActivityView> {
  const servers = serversOf(backends.slice(0, MAX_BACKENDS), urls);
  const { workers, answers } = await workerQueries.ask({
    type: 'backends',
    servers: [...new Set(servers.values())],
    more: 0,
  });
  const records = new Map<string, WorkerRecord[]>();
  let replied = 0;
  for (const [pid, answer] of answers) {
    if (answer.type !== 'backends') continue;
    replied++;
    for (const snapshot of answer.backends) {
      const known = records.get(snapshot.server);
      if (known === undefined) records.set(snapshot.server, [{ pid, snapshot }]);
      else known.push({ pid, snapshot });
    }
  }
  return {
    workers: workers.filter(({ state }) => state !== 'starting').length,
    replied,
    backends: [...servers].map(([id, server]) => joined(id, records.get(server) ?? [])),
  };
}

/** The servers by the ids of their entries. */
function serversOf(
  backends: readonly Pick<BackendView, 'id' | 'url'>[],
  { legacyScheme }: UrlRules,
): ReadonlyMap<number, string> {
  const servers = new Map<number, string>();
  for (const { id, url } of backends) {
    const parsed = parseBackend(url, id);
    if ('fault' in parsed || !isDialled(parsed.backend)) continue;
    const isClear = legacyScheme && parsed.backend.protocol === 'https:';
    servers.set(id, serverOf(isClear ? inTheClear(parsed.backend) : parsed.backend));
  }
  return servers;
}

/** The records of one server, of all workers, as one. */
function joined(id: number, records: readonly WorkerRecord[]): BackendActivity {
  const sum = (of: (snapshot: BackendSnapshot) => number): number =>
    records.reduce((all, { snapshot }) => all + of(snapshot), 0);
  return {
    id,
    inFlight: sum(({ inFlight }) => inFlight),
    waiting: sum(({ waiting }) => waiting),
    open: sum(({ open }) => open),
    idle: sum(({ idle }) => idle),
    ...ratesOf(records.map(({ snapshot }) => snapshot.recent)),
    responses: {
      '1xx': sum(({ responses }) => responses['1xx']),
      '2xx': sum(({ responses }) => responses['2xx']),
      '3xx': sum(({ responses }) => responses['3xx']),
      '4xx': sum(({ responses }) => responses['4xx']),
      '5xx': sum(({ responses }) => responses['5xx']),
    },
    failures: failuresIn(records),
  };
}

/** The latest of all workers, newest first. */
function failuresIn(records: readonly WorkerRecord[]): readonly FailureView[] {
  return records
    .flatMap(({ pid, snapshot }) => snapshot.failures.map((failure) => ({ pid, failure })))
    .toSorted((a, b) => b.failure.at - a.failure.at)
    .slice(0, MAX_FAILURES)
    .map(({ pid, failure: { at, type, reason, code } }) => {
      return { time: new Date(at).toISOString(), type, reason, code, pid };
    });
}
