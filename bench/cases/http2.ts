/** HTTP/2 with clients, and gRPC behind it. */
import { grpcCalls, streams } from '../measure/streams.ts';
import { h2o } from '../peers/h2o.ts';
import { haproxy } from '../peers/haproxy.ts';
import { hipache } from '../peers/hipache.ts';
import { nginx } from '../peers/nginx.ts';
import { tools } from '../tools.ts';
import type { Case } from './case.ts';

const common = {
  needs: [tools.h2load],
  columns: ['perSecond', 'cpuMicros', 'residentMB'],
  ratios: ['cpuMicros'],
} as const satisfies Partial<Case>;

const ONE_HOST = 'h2load asks for one host. Backends are spoken to by HTTP/1.1.';

const byTls = { tls: true, http2: true };
const plainly = { http2: true };

export const http2: Case = {
  ...common,
  name: 'http2',
  title: 'HTTP/2 over TLS, 20-byte answers, 10 connections of 100 streams',
  note: ONE_HOST,
  measure: streams(),
  reference: h2o(byTls),
  peers: [
    nginx(byTls),
    haproxy(byTls),
    hipache({ routes: 'file' }, byTls),
    hipache({ routes: 'push' }, byTls),
    hipache({ routes: 'request' }, byTls),
  ],
};

export const http2Large: Case = {
  ...common,
  name: 'http2-large',
  title: 'HTTP/2 over TLS, 100 KiB answers, 10 connections of 10 streams',
  note: ONE_HOST,
  measure: streams({ path: '/100k', streams: 10 }),
  reference: h2o(byTls),
  peers: [nginx(byTls), haproxy(byTls), hipache({ routes: 'file' }, byTls), hipache({ routes: 'push' }, byTls)],
  columns: ['mbPerSecond', 'perSecond', 'cpuMicros', 'residentMB'],
  ratios: ['cpuMicros', 'mbPerSecond'],
};

export const http2Plain: Case = {
  ...common,
  name: 'h2c',
  title: 'HTTP/2 without TLS, 20-byte answers, 10 connections of 100 streams',
  note: ONE_HOST,
  measure: streams({ tls: false }),
  reference: h2o(plainly),
  peers: [nginx(plainly), haproxy(plainly), hipache({ routes: 'file' }, plainly), hipache({ routes: 'push' }, plainly)],
};

export const grpc: Case = {
  ...common,
  name: 'grpc',
  title: 'gRPC, unary calls of 100 bytes, 10 connections of 100 streams',
  note: 'HTTP/2 on both sides, without TLS. The server is Node, and slower than what is measured: trust the CPU.',
  measure: grpcCalls(),
  reference: nginx(plainly),
  peers: [hipache({ routes: 'file' }, plainly), hipache({ routes: 'push' }, plainly)],
};
