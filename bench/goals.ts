/** The figures that the router must reach, and whether a report reaches them. */
import { BALANCES } from './cases/settings.ts';
import type { Metric } from './figures.ts';
import type { CaseReport, Report, Row } from './report/report.ts';

export interface Goal {
  readonly text: string;
  readonly inCase: string;
  /** The row that must reach it. */
  readonly row: string;
  /** The row it is divided by, in the same case; null for the figure itself. */
  readonly against: string | null;
  readonly metric: Metric;
  readonly bound: { readonly atMost: number } | { readonly atLeast: number };
}

const PUSH = 'hipache, push cache';

const cpu = (text: string, inCase: string, row: string, against: string, atMost: number): Goal => ({
  text,
  inCase,
  row,
  against,
  metric: 'cpuMicros',
  bound: { atMost },
});

const prefixed = (mode: string, count: string, atMost: number): Goal => ({
  text: `CPU per request with Redis’ own, ${mode} mode, ${count} prefixes against none`,
  inCase: 'prefixes',
  row: `hipache, ${mode}, ${count} prefixes`,
  against: `hipache, ${mode}, 0 prefixes`,
  metric: 'bothMicros',
  bound: { atMost },
});

export const GOALS: readonly Goal[] = [
  cpu('CPU per request, push cache, against nginx', 'small', PUSH, 'nginx', 1.3),
  cpu('the same against http-proxy', 'small', PUSH, 'http-proxy, keep-alive agent', 0.25),
  {
    text: 'CPU per request with Redis’ own, lookups per request, against nginx + Lua + Redis (script)',
    inCase: 'redis-64',
    row: 'hipache, Redis per request',
    against: 'nginx + Lua + Redis, script',
    metric: 'bothMicros',
    bound: { atMost: 0.45 },
  },
  {
    text: 'the same against nginx + Lua + Redis (pipeline)',
    inCase: 'redis-64',
    row: 'hipache, Redis per request',
    against: 'nginx + Lua + Redis, pipeline',
    metric: 'bothMicros',
    bound: { atMost: 0.45 },
  },
  cpu(
    'CPU per request, access log on, against off',
    'access-log',
    'hipache, push, log on',
    'hipache, push, log off',
    1.15,
  ),
  cpu(
    'CPU per request, metrics on, against off',
    'metrics',
    'hipache, push, metrics on',
    'hipache, push, metrics off',
    1.03,
  ),
  {
    text: '100 KiB answers, MB/s against nginx',
    inCase: 'large',
    row: PUSH,
    against: 'nginx',
    metric: 'mbPerSecond',
    bound: { atLeast: 1.5 },
  },
  {
    text: 'the same over TLS',
    inCase: 'tls-large',
    row: PUSH,
    against: 'nginx',
    metric: 'mbPerSecond',
    bound: { atLeast: 1 },
  },
  cpu('POST of 10 KiB, CPU per request against nginx', 'post', PUSH, 'nginx', 1.4),
  cpu('new connection per request, CPU against nginx', 'connect', PUSH, 'nginx', 1.7),
  cpu('TLS, kept connections, CPU per request against nginx', 'tls', PUSH, 'nginx', 1.45),
  cpu('new TLS connection, CPU against nginx', 'tls-new', PUSH, 'nginx', 1.4),
  cpu('the same with a session resumed', 'tls-resumed', PUSH, 'nginx', 1.3),
  cpu('HTTP/2, CPU per request against h2o', 'http2', PUSH, 'h2o', 2.5),
  cpu('HTTP/2, 100 KiB answers, CPU per request against h2o', 'http2-large', PUSH, 'h2o', 1.5),
  {
    text: 'p99 at 64 connections, against nginx',
    inCase: 'small',
    row: PUSH,
    against: 'nginx',
    metric: 'p99Ms',
    bound: { atMost: 2 },
  },
  cpu('CPU per request, 2 workers against 1', 'workers', 'hipache, push, 2 workers', 'hipache, push, 1 worker', 1.1),
  cpu('WebSocket message, CPU against nginx', 'websocket', 'hipache, routes in a file', 'nginx', 1.1),
  {
    text: 'memory of an idle WebSocket, bytes',
    inCase: 'idle-websockets',
    row: 'hipache, routes in a file',
    against: null,
    metric: 'bytesPerConnection',
    bound: { atMost: 12_288 },
  },
  {
    text: 'memory of an idle kept connection, bytes',
    inCase: 'idle',
    row: PUSH,
    against: null,
    metric: 'bytesPerConnection',
    bound: { atMost: 10_240 },
  },
  ...(['push', 'request'] as const).map((mode) =>
    cpu(
      `CPU per request, ${mode} mode, a million frontends against a thousand`,
      'frontends',
      `hipache, ${mode}, 1,000,000 frontends`,
      `hipache, ${mode}, 1,000 frontends`,
      1.2,
    ),
  ),
  prefixed('push', '10', 1.1),
  prefixed('push', '1,000', 1.3),
  prefixed('request', '10', 1.1),
  prefixed('request', '1,000', 1.3),
  ...BALANCES.slice(1).map((way) =>
    cpu(
      `CPU per request, balance ${way} against ${BALANCES[0]}`,
      'balance',
      `hipache, balance ${way}`,
      `hipache, balance ${BALANCES[0]}`,
      1.03,
    ),
  ),
];

export interface Reached {
  readonly goal: Goal;
  /** Null when it was not measured. */
  readonly value: number | null;
  readonly isReached: boolean;
}

export function judge({ cases }: Report, goals: readonly Goal[] = GOALS): readonly Reached[] {
  return goals.map((goal) => {
    const value = valueOf(
      goal,
      cases.find(({ name }) => name === goal.inCase),
    );
    const { bound } = goal;
    const isReached = value !== null && ('atMost' in bound ? value <= bound.atMost : value >= bound.atLeast);
    return { goal, value, isReached };
  });
}

function valueOf({ row, against, metric }: Goal, found: CaseReport | undefined): number | null {
  const rowOf = (label: string): Row | undefined => found?.rows.find((each) => each.label === label);
  const own = rowOf(row)?.summary;
  if (against === null) return own?.median[metric] ?? null;
  // Each is a ratio to the reference of its own minutes: that is better than to divide the figures themselves.
  const other = rowOf(against)?.summary.ratios[metric];
  const ratio = own?.ratios[metric];
  return ratio === undefined || other === undefined || other === 0 ? null : ratio / other;
}
