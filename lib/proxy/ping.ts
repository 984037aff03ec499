import { PING_HOST } from '../core/routing/hostname.ts';
import type { RequestHead } from '../core/http/request-head.ts';
import { type ResponseLimits, limitResponse } from './own-response-limit.ts';
import type { Exchange } from './exchange.ts';

export function isPing(head: RequestHead): boolean {
  return head.hostname === PING_HOST;
}

/** Whether an exchange was a ping, and answered as one. As in Hipache, logs, metrics and traces have none of these. */
export function wasPing({ head, refusal }: Exchange): boolean {
  return head !== null && isPing(head) && refusal === null;
}

/**
 * Answers a ping, whatever the path: no lookup, no backend.
 * @param isReady false to tell load balancers to go elsewhere
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
