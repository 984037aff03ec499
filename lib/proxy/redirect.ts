import { STATUS_CODES } from 'node:http';
import type { Redirect } from '../core/redirect.ts';
import { debugHeaders } from './debug-headers.ts';
import { discardBody } from './discard.ts';
import type { Exchange } from './exchange.ts';
import { siteFields } from './site-fields.ts';
import type { OwnAnswerParts } from './refuse.ts';

/** Sends a client elsewhere. */
export function answerRedirect(exchange: Exchange, { status, location }: Redirect, parts: OwnAnswerParts): void {
  const { request, response, head } = exchange;
  exchange.status = status;
  if (response.destroyed || exchange.isEnded) return exchange.end();
  const body = `${status} ${STATUS_CODES[status]}: ${location}\n`;
  const headers = ['Location', location, 'Content-Type', 'text/plain; charset=utf-8'];
  headers.push('Content-Length', String(Buffer.byteLength(body)), ...siteFields(exchange));
  headers.push(...(exchange.outgoing?.answerFields ?? []));
  if (head?.isDebug) headers.push(...debugHeaders(exchange));
  const mustClose = exchange.isBodyLost || exchange.upgrade !== null || parts.isDraining();
  if (mustClose) headers.push('Connection', 'close');
  exchange.bytesSent = request.method === 'HEAD' ? 0 : Buffer.byteLength(body);
  response.writeHead(status, headers);
  response.end(body);
  if (!mustClose && !request.complete) discardBody(request, parts.clock, parts.bodyMs);
}
