import { STATUS_CODES } from 'node:http';
import type { Redirect } from '../core/routing/redirect.ts';
import type { Exchange } from './exchange.ts';
import { sendWhole, type OwnResponseParts } from './own-response.ts';

/** Responds with a redirect. */
export function sendRedirect(
  exchange: Exchange,
  { status, location, mayBeStored }: Redirect,
  parts: OwnResponseParts,
): void {
  exchange.status = status;
  if (exchange.response.destroyed || exchange.isEnded) return exchange.end();
  const body = Buffer.from(`${status} ${STATUS_CODES[status]}: ${location}\n`);
  const fields = ['Location', location, 'Content-Type', 'text/plain; charset=utf-8'];
  if (!mayBeStored) fields.push('Cache-Control', 'no-store');
  sendWhole(exchange, status, [...fields, 'Content-Length', String(body.length)], body, parts);
}
