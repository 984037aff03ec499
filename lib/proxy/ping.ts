import { PING_HOST } from '../core/hostname.ts';
import type { RequestHead } from '../core/request-head.ts';
import { limitAnswer } from './answer-limit.ts';
import type { Exchange } from './exchange.ts';
import type { OwnAnswerParts } from './own-answer.ts';

export function isPing(head: RequestHead): boolean {
  return head.hostname === PING_HOST;
}

/**
 * Answers a ping, whatever the path: no lookup, no backend.
 * @param isReady false to tell load balancers to go elsewhere
 */
export function pong(
  exchange: Exchange,
  isReady: boolean,
  { clock, responseMs }: Pick<OwnAnswerParts, 'clock' | 'responseMs'>,
): void {
  const { response } = exchange;
  const body = isReady ? 'ok' : 'draining';
  exchange.status = isReady ? 200 : 503;
  exchange.bytesSent = exchange.request.method === 'HEAD' ? 0 : body.length;
  response.writeHead(exchange.status, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
  response.end(body);
  limitAnswer(exchange, { clock, limitMs: responseMs });
}
