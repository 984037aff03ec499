import { STATUS_CODES } from 'node:http';
import {
  type ErrorCode,
  NO_FRONTEND,
  OVERLOADED,
  RATE_LIMITED,
  type RouterError,
  TOO_MANY_UNKNOWN,
} from '../core/errors.ts';
import { pageKeys } from '../core/routing/prefixes.ts';
import type { RouteLookups } from '../store/store.ts';
import type { RateRule } from '../core/routing/site.ts';
import { rateFields } from '../rates/rate-fields.ts';
import type { Exchange } from './exchange.ts';
import { sendWhole, type OwnResponseParts } from './own-response.ts';
import type { Page, Pages } from './pages.ts';

export interface RefuseParts extends OwnResponseParts {
  readonly pages: Pages;
  /** Has the error pages of sites. */
  readonly store: Pick<RouteLookups, 'page'>;
}

/** Retry-After of `LATER`, seconds. */
const RETRY_AFTER = '5';
/** Errors after which the same request may soon succeed. */
const LATER: ReadonlySet<ErrorCode> = new Set(['store-unavailable', 'paused', 'unknown-hosts', 'overloaded']);

/** Sends an error page, which is not cacheable. If part of another response was sent, it only cuts the connection. */
export async function refuse(exchange: Exchange, error: RouterError, parts: RefuseParts): Promise<void> {
  exchange.refusal = error;
  if (exchange.isResponding) return exchange.cut();
  if (!exchange.response.destroyed && !exchange.isEnded) {
    const page = (await tenantPage(exchange, error, parts.store)) ?? parts.pages.for(error.status);
    if (!exchange.response.destroyed && !exchange.isEnded) return respond(exchange, error, page, parts);
  }
  exchange.status = error.status;
  exchange.end();
}

function respond(exchange: Exchange, error: RouterError, page: Page, parts: RefuseParts): void {
  const { status, code } = error;
  const headers = errorHeaders(page, error);
  if (LATER.has(code)) headers.push('Retry-After', RETRY_AFTER);
  sendWhole(exchange, status, headers, page.body, parts);
}

/** Errors whose pages are not looked up: the store does not reply, or a flood must not ask it. */
const WITHOUT_LOOKUP: ReadonlySet<ErrorCode> = new Set([
  'store-unavailable',
  'rate-limited',
  'unknown-hosts',
  'overloaded',
]);

/** The page of the frontend, of its host, or of all sites: the first one found. */
async function tenantPage(
  { route, head }: Exchange,
  error: RouterError,
  store: RefuseParts['store'],
): Promise<Page | null> {
  // No page without a known host, or while the store is unavailable.
  if (head === null || WITHOUT_LOOKUP.has(error.code)) return null;
  try {
    const html = await store.page(pageKeys(route?.key ?? '*'), error.status);
    return html === null ? null : { type: 'text/html; charset=utf-8', body: Buffer.from(html) };
  } catch {
    return null;
  }
}

/** The header section of an error page, names and values in turn. */
function errorHeaders({ type, body }: Page, { code, fields }: Pick<RouterError, 'code' | 'fields'>): string[] {
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
    ...fields,
  ];
}

/** A whole error response, for connections without an HTTP server. It contains `Connection: close`. */
export function errorMessage(pages: Pages, error: RouterError): Buffer {
  const { status } = error;
  const page = pages.for(status);
  const text = headText(status, [...errorHeaders(page, error), 'Connection', 'close']);
  return Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), page.body]);
}

/** What the router responds for the fast lane, which adds the fields about the connection. */
export interface BareResponse<Code extends ErrorCode> {
  readonly code: Code;
  readonly status: number;
  /** Latin1, without fields about the connection, Date, and the empty line. */
  readonly head: string;
  readonly body: Buffer;
}

/** The responses to requests that the fast lane refuses. Those to hosts without a route, and of an overloaded worker, are made once. */
export interface BareResponses {
  readonly overloaded: BareResponse<'overloaded'>;
  readonly noFrontend: BareResponse<'no-frontend'>;
  readonly unknownHosts: BareResponse<'unknown-hosts'>;
  /** Beyond a rate limit. @param waitMs until a request would pass */
  limited(rule: RateRule, waitMs: number): BareResponse<'rate-limited'>;
  /** Refused by the queue of its site. */
  busy(error: RouterError): BareResponse<'site-busy'>;
}

export function bareResponses(pages: Pages): BareResponses {
  const make = <Code extends ErrorCode>(code: Code, status: number, fields: readonly string[]): BareResponse<Code> => {
    const page = pages.for(status);
    return { code, status, head: headText(status, errorHeaders(page, { code, fields })), body: page.body };
  };
  const later = ['Retry-After', RETRY_AFTER];
  return {
    overloaded: make('overloaded', OVERLOADED.status, later),
    noFrontend: make('no-frontend', NO_FRONTEND.status, []),
    unknownHosts: make('unknown-hosts', TOO_MANY_UNKNOWN.status, later),
    limited: (rule, waitMs) => make('rate-limited', RATE_LIMITED.status, rateFields(rule, waitMs)),
    busy: ({ status, fields }) => make('site-busy', status, fields),
  };
}

/** A status line, and fields, names and values in turn. */
function headText(status: number, fields: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}
