/** What connections cost: new ones, idle ones, encrypted ones, and those that became WebSockets. */
import { handshakes, type Handshake } from '../measure/handshakes.ts';
import { idle } from '../measure/idle.ts';
import { requests } from '../measure/requests.ts';
import { websockets } from '../measure/websockets.ts';
import { apache } from '../peers/apache.ts';
import { h2o } from '../peers/h2o.ts';
import { haproxy } from '../peers/haproxy.ts';
import { hipache } from '../peers/hipache.ts';
import { httpProxy } from '../peers/http-proxy.ts';
import { nginx } from '../peers/nginx.ts';
import { COST_COLUMNS, type Case } from './case.ts';

const IDLE = 10_000;
const IDLE_WEBSOCKETS = 2_000;

export const connect: Case = {
  name: 'connect',
  title: 'A new connection for each request, 64 at a time',
  measure: requests({ closes: true }),
  reference: nginx(),
  peers: [
    haproxy(),
    httpProxy,
    hipache({ routes: 'file' }),
    hipache({ routes: 'push' }),
    hipache({ routes: 'request' }),
  ],
  columns: COST_COLUMNS,
  ratios: ['cpuMicros', 'p99Ms'],
};

export const idleConnections: Case = {
  name: 'idle',
  title: 'Idle kept connections, 10,000 where open files allow it',
  note: 'Resident memory that each adds, after a warm-up and one request on each; the memory of the kernel is not in it.',
  measure: idle('idle', IDLE),
  reference: nginx(),
  peers: [haproxy(), hipache({ routes: 'file' }), hipache({ routes: 'push' })],
  columns: ['connections', 'bytesPerConnection', 'residentMB'],
  ratios: ['bytesPerConnection'],
};

export const idleWebSockets: Case = {
  name: 'idle-websockets',
  title: '2,000 idle WebSockets',
  note: 'Resident memory that each adds, after a warm-up and one message on each; the memory of the kernel is not in it.',
  measure: idle('idle-websockets', IDLE_WEBSOCKETS),
  reference: nginx(),
  peers: [haproxy(), httpProxy, hipache({ routes: 'file' })],
  columns: ['connections', 'bytesPerConnection', 'residentMB'],
  ratios: ['bytesPerConnection'],
};

export const tls: Case = {
  name: 'tls',
  title: '20-byte answers over TLS, 64 kept connections',
  measure: requests({ tls: true }),
  reference: nginx({ tls: true }),
  peers: [
    haproxy({ tls: true }),
    h2o({ tls: true }),
    apache({ tls: true }),
    hipache({ routes: 'file' }, { tls: true }),
    hipache({ routes: 'push' }, { tls: true }),
    hipache({ routes: 'request' }, { tls: true }),
  ],
  columns: COST_COLUMNS,
  ratios: ['cpuMicros', 'p99Ms'],
};

function newTls(kind: Handshake, name: string, title: string): Case {
  return {
    name,
    title,
    note: 'TLS 1.3, X25519, P-256. The client is Node: connections/s are mostly its. Trust the CPU, which is that of a connection.',
    measure: handshakes(kind),
    reference: nginx({ tls: true }),
    peers: [
      haproxy({ tls: true }),
      h2o({ tls: true }),
      hipache({ routes: 'file' }, { tls: true }),
      hipache({ routes: 'push' }, { tls: true }),
      hipache({ routes: 'request' }, { tls: true }),
    ],
    columns: ['perSecond', 'cpuMicros', 'residentMB'],
    ratios: ['cpuMicros'],
  };
}

export const tlsNew = newTls('new', 'tls-new', 'A new TLS connection for each request, 64 at a time');

export const tlsResumed = newTls(
  'resumed',
  'tls-resumed',
  'A new TLS connection for each request, with a session that is resumed, 64 at a time',
);

export const echo: Case = {
  name: 'websocket',
  title: 'WebSocket echo, messages of 125 bytes, 64 connections',
  note: 'Client and backend are Node: with a fast system between them, messages/s are theirs. Trust the CPU.',
  measure: websockets,
  reference: nginx(),
  peers: [haproxy(), httpProxy, hipache({ routes: 'file' }), hipache({ routes: 'request' })],
  columns: ['perSecond', 'cpuMicros', 'residentMB'],
  ratios: ['cpuMicros'],
};
