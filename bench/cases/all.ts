/** Every case, in the order of the report. */
import { kibibyte, small } from './answers.ts';
import { large, post } from './bodies.ts';
import type { Case } from './case.ts';
import { connect, echo, idleConnections, tls } from './connections.ts';
import { frontends, redisCases } from './redis.ts';
import { accessLog, fastLane, metrics, workers } from './settings.ts';

export const cases: readonly Case[] = [
  small,
  kibibyte,
  large,
  post,
  connect,
  idleConnections,
  echo,
  tls,
  ...redisCases,
  frontends,
  accessLog,
  metrics,
  fastLane,
  workers,
];
