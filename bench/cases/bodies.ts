/** Bodies: large ones down, smaller ones up. */
import { requests } from '../measure/requests.ts';
import { haproxy } from '../peers/haproxy.ts';
import { h2o } from '../peers/h2o.ts';
import { hipache } from '../peers/hipache.ts';
import { httpProxy } from '../peers/http-proxy.ts';
import { nginx } from '../peers/nginx.ts';
import { COST_COLUMNS, type Case } from './case.ts';

const peers = [
  haproxy(),
  h2o(),
  httpProxy,
  hipache({ routes: 'file' }),
  hipache({ routes: 'push' }),
  hipache({ routes: 'request' }),
];

export const large: Case = {
  name: 'large',
  title: '100 KiB answers, 64 kept connections',
  measure: requests({ path: '/100k' }),
  reference: nginx(),
  peers,
  columns: ['mbPerSecond', 'perSecond', 'cpuMicros', 'p50Ms', 'p99Ms', 'residentMB'],
  ratios: ['mbPerSecond', 'cpuMicros'],
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
