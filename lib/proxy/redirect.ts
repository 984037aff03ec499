import { STATUS_CODES } from 'node:http';
import type { Redirect } from '../core/routing/redirect.ts';
import type { Exchange } from './exchange.ts';
import { answerWhole, type OwnAnswerParts } from './own-response.ts';

/** Sends a client elsewhere. */
export function answerRedirect(
  exchange: Exchange,
  { status, location, mayBeStored }: Redirect,
  parts: OwnAnswerParts,
): void {
  exchange.status = status;
  if (exchange.response.destroyed || exchange.isEnded) return exchange.end();
  const body = Buffer.from(`${status} ${STATUS_CODES[status]}: ${location}\n`);
  const fields = ['Location', location, 'Content-Type', 'text/plain; charset=utf-8'];
  if (!mayBeStored) fields.push('Cache-Control', 'no-store');
  answerWhole(exchange, status, [...fields, 'Content-Length', String(body.length)], body, parts);
}
