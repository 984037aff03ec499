/** How the router is and what it does, as the admin interface tells it. */
import { version } from '../core/version.ts';
import type { WorkerState } from '../observe/figures.ts';
import type { LiveAnswer, WorkersAnswer } from './answers.ts';
import { prometheusText, CONTENT_TYPE } from './prometheus.ts';
import { readinessOf, type Readiness } from './readiness.ts';
import { json, type Asked, type Reply, text } from './reply.ts';
import type { Requests } from './requests.ts';
import { SECONDS } from './series.ts';
import type { Totals } from './totals.ts';
import type { Replies, Workforce } from './workforce.ts';

/** Frontends that are drawn at a time. */
const BUSIEST = 20;

export interface OverviewParts {
  readonly workforce: Workforce;
  readonly totals: Totals;
  /** The store's name. */
  readonly store: string;
  readonly needsToken: boolean;
}

export function overview(parts: OverviewParts): Requests {
  const { workforce, totals } = parts;
  /** The figures are up to date then. */
  const look = (): Promise<Replies> => workforce.ask({ type: 'figures' });
  return {
    'GET /healthz': () => text('ok\n'),
    'GET /readyz': async () => {
      const readiness = readinessIn(await look(), parts);
      return json({ ready: readiness.isReady, reasons: readiness.reasons }, readiness.isReady ? 200 : 503);
    },
    'GET /metrics': async () => {
      const { workers } = await look();
      const reply = text(await prometheusText(totals, workers));
      return { ...reply, headers: { 'Content-Type': CONTENT_TYPE } };
    },
    'GET /api/v1/workers': async () => json(workersOf(await look())),
    'GET /api/v1/live': async (asked) => json(liveOf(asked, await look(), parts)),
    'POST /api/v1/cache/drop': (asked) => drop(asked, workforce),
  };
}

function readinessIn({ master, workers, answers }: Replies, { store }: OverviewParts): Readiness {
  return readinessOf(master, workers, statesIn(answers), store);
}

function statesIn(answers: Replies['answers']): ReadonlyMap<number, WorkerState> {
  const states = new Map<number, WorkerState>();
  for (const [pid, answer] of answers) {
    if (answer.type === 'figures' && answer.figures) states.set(pid, answer.figures.state);
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
    ready: readinessIn(replies, parts),
  };
}

async function drop({ query }: Asked, workforce: Workforce): Promise<Reply> {
  const { answers } = await workforce.ask({ type: 'forget', host: query.get('host') });
  let hosts = 0;
  for (const answer of answers.values()) if (answer.type === 'forget') hosts += answer.hosts;
  return json({ workers: answers.size, hosts });
}

function inSeconds({ p50, p99, max }: WorkerState['loopDelay']): WorkerState['loopDelay'] {
  return { p50: p50 / 1000, p99: p99 / 1000, max: max / 1000 };
}
