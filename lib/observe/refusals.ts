/** Logs refused requests to the operator's log. The level depends on who caused the refusal. */
import { originOf } from '../core/routing/backend.ts';
import type { CutReason } from '../core/record/cut-reason.ts';
import type { ErrorCode, RouterError } from '../core/errors.ts';
import type { Http2Refusal } from '../http2/parts.ts';
import type { ResponseCut } from '../core/record/response-cut.ts';
import type { OverloadNotice } from '../overload/overload.ts';
import type { Exchange } from '../proxy/exchange.ts';
import { describeCause, type Log } from './log.ts';

/** Logs why the router responded itself, if it did. Costs almost nothing when the level is off. */
export function logRefusal(log: Log, { refusal, outgoing, peer, head, trying }: Exchange): void {
  if (refusal === null) return;
  const { code, status } = refusal;
  const client = outgoing?.clientIp ?? peer.address;
  const host = head?.hostname ?? null;
  if (code === 'internal') {
    log.error({ event: 'internal-error', client, host, err: refusal.cause }, 'a bug in the router');
    return;
  }
  const level = levelOf(code);
  if (!log.hasRoom(level, 'refused', code)) return;
  const why = describeCause(refusal);
  const backend = trying === null ? undefined : originOf(trying);
  log[level]({ event: 'refused', code, status, client, host, backend, why }, `${status} for ${host ?? client}: ${why}`);
}

/** Logs that a worker begins to refuse requests because it is late, or ends that. */
export function logOverload(log: Log, notice: OverloadNotice): void {
  switch (notice.type) {
    case 'overloaded': {
      const { lagMs, sites } = notice;
      const text = `this worker is late by ${lagMs} ms: it refuses requests, first those for ${sites.join(', ') || 'no site'}`;
      log.warn({ event: 'overloaded', lagMs, sites }, text);
      return;
    }
    case 'overload-over': {
      const { seconds, refused } = notice;
      const text = `this worker is in time again: ${refused} requests were refused in ${seconds} s`;
      log.info({ event: 'overload-over', seconds, refused }, text);
      return;
    }
  }
}

/** Logs a request that the fast lane has refused, as `logRefusal` does. */
export function logRefusedFast(
  log: Log,
  { code, status, message: why }: RouterError,
  client: string,
  host: string,
): void {
  const level = code === 'internal' ? 'error' : levelOf(code);
  if (!log.hasRoom(level, 'refused', code)) return;
  log[level]({ event: 'refused', code, status, client, host, why }, `${status} for ${host}: ${why}`);
}

/** Logs bytes that were not a valid request. */
export function logGarbage(log: Log, error: RouterError, client: string): void {
  const { code, status } = error;
  if (!log.hasRoom('debug', 'garbage', code)) return;
  log.debug({ event: 'garbage', code, status, client, cause: error }, 'bytes that are not a valid request');
}

const CUT: Readonly<Record<CutReason, string>> = {
  'slow-reader': 'it reads too slowly',
  'slot-needed': 'it reads slowly, and other requests waited for its backend connection',
};

/** Logs that a client was cut within a response. */
export function logCut(log: Log, code: CutReason, client: string, host: string | null): void {
  if (!log.hasRoom('info', 'client-cut', code)) return;
  log.info({ event: 'client-cut', code, client, host }, `the connection of ${client} was cut: ${CUT[code]}`);
}

/** Logs a response that its backend broke off. */
export function logResponseCut(log: Log, { client, host, backend: from, why }: ResponseCut): void {
  if (!log.hasRoom('warn', 'response-cut')) return;
  const backend = from === null ? undefined : originOf(from);
  const cause = describeCause(why);
  log.warn({ event: 'response-cut', client, host, backend, why: cause }, `${backend} broke off a response: ${cause}`);
}

/** Logs that HTTP/2 streams, or a connection, were refused before there was a request. */
export function logHttp2Refusal(log: Log, { code, count, why }: Http2Refusal, client: string): void {
  if (!log.hasRoom('info', 'http2-refused', code)) return;
  log.info({ event: 'http2-refused', code, count, client, why }, `HTTP/2 of ${client}: ${why}`);
}

/** Scanners cause any number of client errors, which need no operator's attention. */
function levelOf(code: Exclude<ErrorCode, 'internal'>): 'debug' | 'info' | 'warn' {
  switch (code) {
    case 'no-backend':
    case 'route-broken':
    case 'backend-failed':
    case 'backend-crowded':
    case 'backend-silent':
    case 'store-unavailable':
      return 'warn';
    // The limit is the operator's own setting, and may be too low.
    case 'body-too-large':
    case 'paused':
    case 'rate-limited':
    case 'site-busy':
    case 'unknown-hosts':
      return 'info';
    // The beginning and the end are logged.
    case 'overloaded':
    // The operator has turned it on.
    case 'maintenance':
    case 'not-found':
    case 'no-host':
    case 'bad-host':
    case 'bad-request':
    case 'no-frontend':
    case 'method-refused':
    case 'request-timeout':
    case 'precondition-failed':
    case 'uri-too-long':
    case 'range-unsatisfiable':
    case 'expectation-failed':
    case 'misdirected':
    case 'head-too-large':
    case 'coding-unknown':
    case 'method-unknown':
    case 'version-unknown':
      return 'debug';
  }
}
