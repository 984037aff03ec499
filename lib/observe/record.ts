import type { PassedExchange } from '../fastlane/parts.ts';
import type { Exchange } from '../proxy/exchange.ts';
import type { AccessRecord } from './access-line.ts';

/** A client that left before it was answered: nginx's code for it, which no client ever sees. */
const CLIENT_CLOSED_REQUEST = 499;

/** What the access log says of an exchange that has ended. */
export function accessRecord(exchange: Exchange): AccessRecord {
  const { request, head, outgoing, peer, route } = exchange;
  const now = performance.now();
  return {
    clientIp: outgoing?.clientIp ?? peer.address,
    method: request.method ?? '-',
    target: request.url ?? '-',
    version: head?.version ?? request.httpVersion,
    status: exchange.status === 0 ? CLIENT_CLOSED_REQUEST : exchange.status,
    bytes: exchange.bytesSent,
    referer: request.headers.referer,
    userAgent: request.headers['user-agent'],
    name: route?.name ?? null,
    totalMs: now - exchange.startedAt,
    backendMs: exchange.tryingSince === null ? null : now - exchange.tryingSince,
  };
}

/** What the access log says of an exchange that ended in the fast lane. */
export function passedRecord(passed: PassedExchange): AccessRecord {
  const status = passed.status === 0 ? CLIENT_CLOSED_REQUEST : passed.status;
  return { ...passed, version: '1.1', status };
}
