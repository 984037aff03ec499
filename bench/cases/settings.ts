/** What our own settings cost: the access log, metrics, the fast lane, the ways to balance, workers. */
import { requests } from '../measure/requests.ts';
import { hipache, type Routes } from '../peers/hipache.ts';
import { nginx } from '../peers/nginx.ts';
import { COST_COLUMNS, type Case } from './case.ts';

const ROUTES: readonly Routes[] = ['file', 'push', 'request'];
const common = {
  measure: requests(),
  reference: nginx(),
  columns: COST_COLUMNS,
  ratios: ['cpuMicros', 'p99Ms'],
} as const satisfies Partial<Case>;

export const accessLog: Case = {
  ...common,
  name: 'access-log',
  title: 'The access log off and on, 20-byte answers, 64 kept connections',
  peers: [
    nginx({ accessLog: true }, 'nginx, log on'),
    ...ROUTES.flatMap((routes) => [
      hipache({ routes }, { accessLog: false }, `${routes}, log off`),
      hipache({ routes }, { accessLog: true }, `${routes}, log on`),
    ]),
  ],
};

export const metrics: Case = {
  ...common,
  name: 'metrics',
  title: 'Metrics off and on, 20-byte answers, 64 kept connections',
  note: 'With metrics on, the process of the admin interface asks the worker each second; its time counts, too.',
  peers: ROUTES.flatMap((routes) => [
    hipache({ routes }, {}, `${routes}, metrics off`),
    hipache({ routes, metrics: true }, {}, `${routes}, metrics on`),
  ]),
};

export const fastLane: Case = {
  ...common,
  name: 'fast-lane',
  title: 'The fast lane on and off, 20-byte answers, 64 kept connections',
  peers: ROUTES.flatMap((routes) => [
    hipache({ routes, fastLane: true }, {}, `${routes}, fast lane on`),
    hipache({ routes, fastLane: false }, {}, `${routes}, fast lane off`),
  ]),
};

/** The ways to balance that are compared with the first one. */
export const BALANCES = ['random', 'p2c', 'leastconn', 'roundrobin', 'latency', 'hash:ip'] as const;

export const balance: Case = {
  ...common,
  name: 'balance',
  title: 'Ways to choose among four backends, 20-byte answers, 64 kept connections',
  note: 'The four are one server at four addresses; nginx has it once. With hash:ip all requests go to one of them.',
  peers: BALANCES.map((way) => hipache({ routes: 'push', balance: way }, {}, `balance ${way}`)),
};

export const workers: Case = {
  ...common,
  name: 'workers',
  title: 'One worker and two, 20-byte answers, 64 kept connections',
  note: 'With fewer than three cores the two workers share the one that wrk, the backend and Redis leave alone.',
  peers: [
    nginx({ workers: 2 }, 'nginx, 2 workers'),
    ...ROUTES.flatMap((routes) => [
      hipache({ routes }, { workers: 1 }, `${routes}, 1 worker`),
      hipache({ routes }, { workers: 2 }, `${routes}, 2 workers`),
    ]),
  ],
};
