/** The state and activity of the router: readiness, live series, workers, metrics, events. */
import { version } from '../core/version.ts';
import type { WorkerState } from '../observe/worker-metrics.ts';
import type { LiveAnswer, WorkersAnswer } from './answers.ts';
import { changesAnswer, refusals } from './changes.ts';
import { prometheusText, CONTENT_TYPE } from './prometheus.ts';
import { readinessOf, type Readiness } from './readiness.ts';
import { json, type Asked, type Reply, text } from './reply.ts';
import type { Requests } from './requests.ts';
import { SECONDS } from './series.ts';
import type { Totals } from './totals.ts';
import type { Replies, WorkerQueries } from './workforce.ts';

/** How many frontends the live series have. */
const BUSIEST = 20;

/** What the handlers of `overview` need. */
export interface OverviewParts {
  readonly workerQueries: WorkerQueries;
  readonly totals: Totals;
  /** The store's name. */
  readonly store: string;
  readonly needsToken: boolean;
}

/** The handlers for the router's state, metrics and events. */
export function overview(parts: OverviewParts): Requests {
  const { workerQueries, totals } = parts;
  /** Asking for metrics updates the totals. */
  const look = (): Promise<Replies> => workerQueries.ask({ type: 'metrics' });
  return {
    'GET /healthz': () => text('ok\n'),
    'GET /readyz': async ({ query }) => {
      const { isReady, isDegraded, reasons } = readinessIn(await look());
      const ready = isReady && !(isDegraded && query.get('strict') === '1');
      return json({ ready, degraded: isDegraded, reasons }, ready ? 200 : 503);
    },
    'GET /metrics': async () => {
      const [replies] = await Promise.all([look(), totals.backends.update(workerQueries)]);
      const reply = text(await prometheusText(totals, replies.workers, readinessIn(replies), replies.master.changes));
      return { ...reply, headers: { 'Content-Type': CONTENT_TYPE } };
    },
    'GET /api/v1/workers': async () => json(workersOf(await look())),
    'GET /api/v1/changes': async () => json(changesAnswer((await look()).master.changes)),
    'GET /api/v1/live': async (asked) => json(liveOf(asked, await look(), parts)),
    'POST /api/v1/cache/drop': (asked) => drop(asked, workerQueries),
  };
}

function readinessIn({ master, workers, answers }: Replies): Readiness {
  return readinessOf(master, workers, statesIn(answers));
}

function statesIn(answers: Replies['answers']): ReadonlyMap<number, WorkerState> {
  const states = new Map<number, WorkerState>();
  for (const [pid, answer] of answers) {
    if (answer.type === 'metrics' && answer.metrics) states.set(pid, answer.metrics.state);
  }
  return states;
}

function workersOf({ master, workers, answers }: Replies): WorkersAnswer {
  const states = statesIn(answers);
  const { pid, upSeconds, residentBytes } = master;
  return {
    master: { pid, version, upSeconds, residentBytes },
    workers: workers.map((known) => {
      const state = states.get(known.pid);
      return {
        pid: known.pid,
        generation: known.generation,
        state: known.state,
        upSeconds: known.upSeconds,
        residentBytes: state?.residentBytes ?? null,
        heapBytes: state?.heapBytes ?? null,
        connections: state?.connections ?? null,
        exchanges: state?.exchanges ?? null,
        tunnels: state?.tunnels ?? null,
        certificateFaults: state?.certificateFaults ?? null,
        loopDelay: state ? inSeconds(state.loopDelay) : null,
      };
    }),
  };
}

function liveOf({ query }: Asked, replies: Replies, parts: OverviewParts): LiveAnswer {
  const { totals, store, needsToken } = parts;
  const seconds = Math.min(SECONDS, Number(query.get('seconds')) || SECONDS);
  const states = [...statesIn(replies.answers).values()];
  const sum = (of: (state: WorkerState) => number): number => states.reduce((before, state) => before + of(state), 0);
  const busiest = Array.from(totals.frontends.entries(), ([name, { series }]) => {
    return { name, series, recent: series.recent(seconds) };
  })
    .filter(({ recent }) => recent > 0)
    .toSorted((a, b) => b.recent - a.recent)
    .slice(0, BUSIEST);
  return {
    now: Math.floor(Date.now() / 1000),
    version,
    needsToken,
    total: totals.series.read(seconds),
    frontends: busiest.map(({ name, series }) => Object.assign({ name }, series.read(seconds))),
    connections: sum(({ connections }) => connections),
    exchanges: sum(({ exchanges }) => exchanges),
    tunnels: sum(({ tunnels }) => tunnels),
    store: { name: store, isUp: states.length > 0 && states.every(({ isStoreUp }) => isStoreUp) },
    refused: refusals(replies.master.changes),
    ready: readinessIn(replies),
  };
}

async function drop({ query }: Asked, workerQueries: WorkerQueries): Promise<Reply> {
  const { answers } = await workerQueries.ask({ type: 'forget', host: query.get('host') });
  let hosts = 0;
  for (const answer of answers.values()) if (answer.type === 'forget') hosts += answer.hosts;
  return json({ workers: answers.size, hosts });
}

function inSeconds({ p50, p99, max }: WorkerState['loopDelay']): WorkerState['loopDelay'] {
  return { p50: p50 / 1000, p99: p99 / 1000, max: max / 1000 };
}
