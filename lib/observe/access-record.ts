import type { Exchange } from '../proxy/exchange.ts';
import type { AccessRecord } from './access-line.ts';

/** The access log's record of an exchange that has ended. */
export function accessRecord(exchange: Exchange): AccessRecord {
  const { request, method, target, outgoing, peer, route } = exchange;
  const now = performance.now();
  return {
    clientIp: outgoing?.clientIp ?? peer.address,
    method,
    target,
    status: exchange.status,
    bytes: exchange.bytesSent,
    referer: request.headers.referer,
    userAgent: request.headers['user-agent'],
    host: exchange.head?.hostname ?? null,
    backend: exchange.trying?.href ?? null,
    name: route?.name ?? null,
    totalMs: now - exchange.startedAt,
    backendMs: exchange.tryingSince === null ? null : now - exchange.tryingSince,
  };
}
