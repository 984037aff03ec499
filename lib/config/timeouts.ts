/** The section `server.timeouts`: the time limit of each phase of an exchange, in seconds. */
import * as v from 'valibot';
import { seconds, section } from './values.ts';

/** 0 is no limit. */
export interface Timeouts {
  /** From the first byte of a request to the end of its head. */
  readonly header: number;
  /** Silence within a request body. */
  readonly body: number;
  readonly connect: number;
  /** From the request's end to the first byte of the backend's response. */
  readonly firstByte: number;
  /** Silence of either side within a response body. */
  readonly response: number;
  /** Between two requests on a client's connection. */
  readonly idle: number;
  /** Silence in both directions on an upgraded connection. */
  readonly tunnel: number;
}

/** The keys in the file. `resolveTimeouts` has the defaults of those without one here. */
export const timeoutKeys = {
  header: v.nullish(seconds(0), 10),
  body: v.nullish(seconds(0)),
  connect: v.nullish(seconds(0)),
  firstByte: v.nullish(seconds(0)),
  response: v.nullish(seconds(0)),
  idle: v.nullish(seconds(0), 60),
  tunnel: v.nullish(seconds(0), 3600),
};

export const timeoutSection = section(timeoutKeys);

const CONNECT = 5;

/**
 * Adds the defaults that depend on `server.tcpTimeout`, Hipache's one limit for all phases: if given, it applies to the
 * phases without a limit of their own; 0 turns them off. It can only shorten the limit for connecting.
 */
export function resolveTimeouts(
  given: v.InferOutput<typeof timeoutSection>,
  tcpTimeout: number | null | undefined,
): Timeouts {
  return {
    header: given.header,
    body: given.body ?? tcpTimeout ?? 30,
    connect: given.connect ?? (tcpTimeout ? Math.min(CONNECT, tcpTimeout) : CONNECT),
    firstByte: given.firstByte ?? tcpTimeout ?? 30,
    response: given.response ?? tcpTimeout ?? 60,
    idle: given.idle,
    tunnel: given.tunnel,
  };
}
