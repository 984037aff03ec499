import { STATUS_CODES } from 'node:http';
import type { RouterError } from '../core/errors.ts';
import type { AlarmClock } from './alarms.ts';
import { debugHeaders } from './debug-headers.ts';
import { discardBody } from './discard.ts';
import type { Exchange } from './exchange.ts';
import type { Pages } from './pages.ts';

export interface RefuseParts {
  readonly pages: Pages;
  readonly clock: AlarmClock;
  /** Silence that is borne while the rest of a body is read, ms. */
  readonly bodyMs: number;
  readonly isDraining: () => boolean;
}

/** Seconds after which a client may ask again when the router could not find out where to send it. */
const RETRY_AFTER = '5';

/**
 * Answers a client in the router's own name: an error page, never cached.
 * Does nothing but cut the connection when part of another answer is out already.
 */
export function refuse(exchange: Exchange, error: RouterError, parts: RefuseParts): void {
  exchange.refusal = error;
  if (exchange.isAnswered) return exchange.cut();
  const { request, response, head } = exchange;
  const { status } = error;
  exchange.status = status;
  if (response.destroyed || exchange.isEnded) return exchange.end();

  const headers = errorHeaders(parts.pages, status);
  if (error.code === 'store-unavailable') headers.push('Retry-After', RETRY_AFTER);
  if (error.code === 'method-refused') headers.push('Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  headers.push(...(exchange.outgoing?.answerFields ?? []));
  if (head?.isDebug) headers.push(...debugHeaders(exchange));
  // Where the head was not understood, or its body broke off, nobody knows where the next request starts.
  const mustClose =
    head === null ||
    exchange.isBodyLost ||
    exchange.interruption !== null ||
    exchange.upgrade !== null ||
    parts.isDraining();
  if (mustClose) headers.push('Connection', 'close');
  const { body } = parts.pages.for(status);
  exchange.bytesSent = request.method === 'HEAD' ? 0 : body.length;
  response.writeHead(status, headers);
  response.end(body);
  if (!mustClose && !request.complete) discardBody(request, parts.clock, parts.bodyMs);
}

/** The header section of an error page, names and values in turn. */
export function errorHeaders(pages: Pages, status: number): string[] {
  const { type, body } = pages.for(status);
  const length = String(body.length);
  return [
    'Content-Type',
    type,
    'Cache-Control',
    'no-cache',
    'Pragma',
    'no-cache',
    'Expires',
    '-1',
    'Content-Length',
    length,
  ];
}

/** A whole error answer as text, for connections that no longer have an HTTP server behind them. It closes them. */
export function errorMessage(pages: Pages, status: number): Buffer {
  const fields = [...errorHeaders(pages, status), 'Connection', 'close'];
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), pages.for(status).body]);
}
