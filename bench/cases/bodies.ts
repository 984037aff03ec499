/** Bodies: large ones down, smaller ones up. */
import { requests } from '../measure/requests.ts';
import { haproxy } from '../peers/haproxy.ts';
import { h2o } from '../peers/h2o.ts';
import { hipache } from '../peers/hipache.ts';
import { httpProxy } from '../peers/http-proxy.ts';
import { nginx } from '../peers/nginx.ts';
import { COST_COLUMNS, type Case } from './case.ts';

const LARGE = {
  columns: ['mbPerSecond', 'perSecond', 'cpuMicros', 'p50Ms', 'p99Ms', 'residentMB'],
  ratios: ['mbPerSecond', 'cpuMicros'],
} as const satisfies Partial<Case>;

const peers = [
  haproxy(),
  h2o(),
  httpProxy,
  hipache({ routes: 'file' }),
  hipache({ routes: 'push' }),
  hipache({ routes: 'request' }),
];

export const large: Case = {
  ...LARGE,
  name: 'large',
  title: '100 KiB answers, 64 kept connections',
  measure: requests({ path: '/100k' }),
  reference: nginx(),
  peers,
};

export const megabyte: Case = {
  ...LARGE,
  name: 'large-1m',
  title: '1 MiB answers, 64 kept connections',
  measure: requests({ path: '/1m' }),
  reference: nginx(),
  peers: [haproxy(), h2o(), hipache({ routes: 'file' }), hipache({ routes: 'push' })],
};

export const tlsLarge: Case = {
  ...LARGE,
  name: 'tls-large',
  title: '100 KiB answers over TLS, 64 kept connections',
  measure: requests({ path: '/100k', tls: true }),
  reference: nginx({ tls: true }),
  peers: [
    haproxy({ tls: true }),
    h2o({ tls: true }),
    hipache({ routes: 'file' }, { tls: true }),
    hipache({ routes: 'push' }, { tls: true }),
  ],
};

export const post: Case = {
  name: 'post',
  title: 'POST of 10 KiB, 64 kept connections',
  measure: requests({ bodyBytes: 10_240 }),
  reference: nginx(),
  peers,
  columns: COST_COLUMNS,
  ratios: ['cpuMicros', 'p99Ms'],
};
