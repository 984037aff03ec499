/** Every case, in the order of the report. */
import { kibibyte, small } from './answers.ts';
import { large, megabyte, post, tlsLarge } from './bodies.ts';
import type { Case } from './case.ts';
import { connect, echo, idleConnections, idleWebSockets, tls, tlsNew, tlsResumed } from './connections.ts';
import { grpc, http2, http2Large, http2Plain } from './http2.ts';
import { neighbours } from './neighbours.ts';
import { frontends, prefixes, redisCases } from './redis.ts';
import { accessLog, balance, fastLane, metrics, workers } from './settings.ts';

export const cases: readonly Case[] = [
  small,
  kibibyte,
  large,
  megabyte,
  post,
  connect,
  idleConnections,
  echo,
  idleWebSockets,
  tls,
  tlsLarge,
  tlsNew,
  tlsResumed,
  http2,
  http2Large,
  http2Plain,
  grpc,
  ...redisCases,
  frontends,
  prefixes,
  accessLog,
  metrics,
  fastLane,
  balance,
  workers,
  neighbours,
];
