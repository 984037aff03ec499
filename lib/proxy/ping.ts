import { PING_HOST } from '../core/hostname.ts';
import type { RequestHead } from '../core/request-head.ts';
import type { Exchange } from './exchange.ts';

const BODY = 'ok';

export function isPing(head: RequestHead): boolean {
  return head.hostname === PING_HOST;
}

/** Answers a ping, whatever the path: no lookup, no backend. */
export function pong(exchange: Exchange): void {
  const { response } = exchange;
  exchange.status = 200;
  exchange.bytesSent = exchange.request.method === 'HEAD' ? 0 : BODY.length;
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': BODY.length });
  response.end(BODY);
}
