import { STATUS_CODES } from 'node:http';
import type { ErrorCode, RouterError } from '../core/errors.ts';
import { splitKey } from '../core/prefixes.ts';
import type { RouteStore } from '../store/store.ts';
import type { AlarmClock } from './alarms.ts';
import { debugHeaders } from './debug-headers.ts';
import { discardBody } from './discard.ts';
import type { Exchange } from './exchange.ts';
import type { Page, Pages } from './pages.ts';
import { siteFields } from './site-fields.ts';

/** What the router's own answers need. */
export interface OwnAnswerParts {
  readonly clock: AlarmClock;
  /** Silence that is borne while the rest of a body is read, ms. */
  readonly bodyMs: number;
  readonly isDraining: () => boolean;
}

export interface RefuseParts extends OwnAnswerParts {
  readonly pages: Pages;
  /** Pages of tenants. */
  readonly store: Pick<RouteStore, 'page'>;
}

/** Seconds after which a client may ask again when the router could not find out where to send it. */
const RETRY_AFTER = '5';

/**
 * Answers a client in the router's own name: an error page, never cached.
 * Does nothing but cut the connection when part of another answer is out already.
 */
export async function refuse(exchange: Exchange, error: RouterError, parts: RefuseParts): Promise<void> {
  exchange.refusal = error;
  if (exchange.isAnswered) return exchange.cut();
  if (!exchange.response.destroyed && !exchange.isEnded) {
    const page = (await tenantPage(exchange, error, parts.store)) ?? parts.pages.for(error.status);
    if (!exchange.response.destroyed && !exchange.isEnded) return answer(exchange, error, page, parts);
  }
  exchange.status = error.status;
  exchange.end();
}

function answer(exchange: Exchange, error: RouterError, page: Page, parts: RefuseParts): void {
  const { request, response, head, route } = exchange;
  const { status, code } = error;
  exchange.status = status;
  const headers = errorHeaders(page, code);
  if (code === 'store-unavailable') headers.push('Retry-After', RETRY_AFTER);
  if (code === 'maintenance') headers.push('Retry-After', String(route?.options.retryAfter ?? RETRY_AFTER));
  if (code === 'paused') headers.push('Retry-After', RETRY_AFTER);
  if (code === 'method-refused') headers.push('Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  headers.push(...siteFields(exchange), ...(exchange.outgoing?.answerFields ?? []));
  if (head?.isDebug) headers.push(...debugHeaders(exchange));
  // Where the head was not understood, or its body broke off, nobody knows where the next request starts.
  const mustClose =
    head === null ||
    exchange.isBodyLost ||
    exchange.interruption !== null ||
    exchange.upgrade !== null ||
    parts.isDraining();
  if (mustClose) headers.push('Connection', 'close');
  exchange.bytesSent = request.method === 'HEAD' ? 0 : page.body.length;
  response.writeHead(status, headers);
  response.end(page.body);
  if (!mustClose && !request.complete) discardBody(request, parts.clock, parts.bodyMs);
}

/** The page of the frontend, of its host, or of all: the first that there is. */
async function tenantPage(
  { route, head }: Exchange,
  error: RouterError,
  store: RefuseParts['store'],
): Promise<Page | null> {
  // Who is asked must have an answer, and who asks a host.
  if (head === null || error.code === 'store-unavailable') return null;
  const key = route?.key ?? '*';
  const host = splitKey(key).host;
  try {
    const html = await store.page([...new Set([key, host, '*'])], error.status);
    return html === null ? null : { type: 'text/html; charset=utf-8', body: Buffer.from(html) };
  } catch {
    return null;
  }
}

/** The header section of an error page, names and values in turn. */
function errorHeaders({ type, body }: Page, code: ErrorCode): string[] {
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
    'X-Router-Error',
    code,
  ];
}

/** A whole error answer as text, for connections that no longer have an HTTP server behind them. It closes them. */
export function errorMessage(pages: Pages, { status, code }: RouterError): Buffer {
  const page = pages.for(status);
  const fields = [...errorHeaders(page, code), 'Connection', 'close'];
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), page.body]);
}
