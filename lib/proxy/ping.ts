import { PING_HOST } from '../core/routing/hostname.ts';
import type { RequestHead } from '../core/http/request-head.ts';
import { type ResponseLimits, limitResponse } from './own-response-limit.ts';
import type { Exchange } from './exchange.ts';

export function isPing(head: RequestHead): boolean {
  return head.hostname === PING_HOST;
}

/** Whether an exchange was a ping and served as one. As in Hipache, pings are not in logs, metrics or traces. */
export function wasPing({ head, refusal }: Exchange): boolean {
  return head !== null && isPing(head) && refusal === null;
}

/**
 * Responds to a ping, on any path, without a lookup or backend.
 * @param isReady false tells load balancers to use another router
 */
export function pong(exchange: Exchange, isReady: boolean, limits: ResponseLimits): void {
  const { response } = exchange;
  const body = isReady ? 'ok' : 'draining';
  exchange.status = isReady ? 200 : 503;
  exchange.bytesSent = exchange.method === 'HEAD' ? 0 : body.length;
  response.writeHead(exchange.status, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
  response.end(body);
  limitResponse(exchange, limits);
}
