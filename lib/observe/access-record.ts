import type { Exchange } from '../proxy/exchange.ts';
import type { ExchangeRecord } from '../core/record/exchange-record.ts';

/** The access log's record of an exchange that has ended. */
export function exchangeRecord(exchange: Exchange): ExchangeRecord {
  const { method, target, outgoing, peer, route, logged } = exchange;
  const now = performance.now();
  return {
    clientIp: outgoing?.clientIp ?? peer.address,
    method,
    target,
    status: exchange.status,
    bytes: exchange.bytesSent,
    referer: logged.referer,
    userAgent: logged.userAgent,
    host: exchange.head?.hostname ?? null,
    backend: exchange.trying?.href ?? null,
    name: route?.name ?? null,
    totalMs: now - exchange.startedAt,
    backendMs: exchange.tryingSince === null ? null : now - exchange.tryingSince,
  };
}
