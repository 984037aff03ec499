/**
 * The spans of an exchange, by OpenTelemetry's conventions for HTTP
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/): one for the exchange, one for each attempt in it.
 */
import { originOf } from '../routing/backend.ts';
import { attemptId, type Trace } from '../trace-context.ts';
import type { Backend, Outcome, Route } from '../routing/types.ts';

/**
 * How an exchange ended after its response had begun. `cut`: a backend or a limit broke it off. `left`: the client
 * left before all of it was sent.
 */
export type Ending = 'whole' | 'cut' | 'left';

/** A sampled exchange that has ended. Times in ms, on one clock. */
export interface TracedExchange {
  readonly trace: Trace;
  readonly method: string;
  /** In origin-form if it was parsed. */
  readonly target: string;
  /** Of HTTP. */
  readonly version: string;
  readonly isTls: boolean;
  /** The requested host, with the port if given; null when invalid. */
  readonly authority: string | null;
  readonly clientIp: string;
  /** The address of the connection's peer. */
  readonly peerAddress: string;
  /** 0 when the client left before there was a response. */
  readonly status: number;
  readonly route: Route | null;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attempts: readonly TracedAttempt[];
  /** Why the router itself responded, a code of core/errors.ts; null when a backend did. */
  readonly refusal: string | null;
  readonly ending: Ending;
}

export interface TracedAttempt {
  readonly backend: Backend;
  readonly startedAt: number;
  readonly tookMs: number;
  readonly outcome: Outcome;
}

/** A span, independent of the exporter. */
export interface Span {
  readonly name: string;
  readonly kind: 'server' | 'client';
  readonly spanId: string;
  readonly parentId: string | null;
  /** ms since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);
/** Maximum length of a client's text, characters. Every span is held in memory until it is exported. */
export const MAX_TEXT = 1_024;

/** The exchange's span first. @param originMs what to add to its times to have ms since 1970 */
export function spansOf(exchange: TracedExchange, originMs: number): readonly Span[] {
  return [
    exchangeSpan(exchange, originMs),
    ...exchange.attempts.map((attempt, place) => attemptSpan(exchange, attempt, place, originMs)),
  ];
}

function exchangeSpan(exchange: TracedExchange, originMs: number): Span {
  const { trace, version, isTls, authority, clientIp, peerAddress, status, route, attempts, refusal } = exchange;
  const attributes = commonAttributes(exchange);
  attributes['url.scheme'] = isTls ? 'https' : 'http';
  const path = pathOf(exchange.target);
  if (path !== null) attributes['url.path'] = path;
  if (authority !== null) Object.assign(attributes, serverOf(authority));
  if (clientIp !== '') attributes['client.address'] = clientIp;
  if (peerAddress !== '') attributes['network.peer.address'] = peerAddress;
  if (version !== '') attributes['network.protocol.version'] = version;
  if (status !== 0) attributes['http.response.status_code'] = status;
  if (route !== null) {
    attributes['hipache.frontend'] = route.name;
    attributes['hipache.key'] = route.key;
  }
  const backend = attempts.at(-1)?.backend;
  if (backend !== undefined) attributes['hipache.backend'] = originOf(backend);
  if (refusal !== null) attributes['hipache.refusal'] = refusal;
  const fault = faultOf(exchange);
  if (fault !== null) attributes['error.type'] = fault;
  return {
    name: nameOf(exchange),
    kind: 'server',
    spanId: trace.spanId,
    parentId: trace.parentId,
    startMs: originMs + exchange.startedAt,
    endMs: originMs + exchange.endedAt,
    isError: fault !== null,
    attributes,
  };
}

function attemptSpan(exchange: TracedExchange, attempt: TracedAttempt, place: number, originMs: number): Span {
  const { trace, endedAt } = exchange;
  const { backend, outcome, startedAt, tookMs } = attempt;
  const attributes = commonAttributes(exchange);
  attributes['server.address'] = backend.hostname;
  attributes['server.port'] = backend.port;
  attributes['url.full'] = `${originOf(backend)}${pathOf(exchange.target) ?? '/'}`;
  attributes['hipache.backend'] = originOf(backend);
  if (place > 0) attributes['http.request.resend_count'] = place;
  if (outcome.type === 'answered') attributes['http.response.status_code'] = outcome.status;
  if (outcome.type === 'upgraded') attributes['http.response.status_code'] = 101;
  const hasResponded = outcome.type === 'answered' || outcome.type === 'upgraded';
  const fault = hasResponded ? responseFault(exchange, outcome) : outcome.type;
  if (fault !== null) attributes['error.type'] = fault;
  return {
    name: nameOf(exchange),
    kind: 'client',
    spanId: attemptId(trace, place),
    parentId: trace.spanId,
    startMs: originMs + startedAt,
    // An attempt with a response lasts until the whole response was relayed.
    endMs: originMs + (hasResponded ? endedAt : startedAt + tookMs),
    isError: fault !== null,
    attributes,
  };
}

function commonAttributes({ method }: TracedExchange): Record<string, string | number> {
  if (METHODS.has(method)) return { 'http.request.method': method };
  return { 'http.request.method': '_OTHER', 'http.request.method_original': method.slice(0, MAX_TEXT) };
}

/** Span names must have low cardinality, so they contain no paths. */
function nameOf({ method }: TracedExchange): string {
  return METHODS.has(method) ? method : 'HTTP';
}

/** Why the exchange is a server error; null when it is none. Client errors are none. */
function faultOf({ status, refusal, ending }: TracedExchange): string | null {
  if (status === 0) return 'client-left';
  if (ending === 'cut') return 'response-cut';
  return status < 500 ? null : (refusal ?? String(status));
}

/** On the side of the client, 4xx are errors, too. */
function responseFault({ ending }: TracedExchange, outcome: Outcome): string | null {
  if (outcome.type === 'answered' && outcome.status >= 400) return String(outcome.status);
  return ending === 'cut' ? 'response-cut' : null;
}

/** The path without the query, which may be confidential. Null when it is no path. */
function pathOf(target: string): string | null {
  if (!target.startsWith('/')) return null;
  const end = target.indexOf('?');
  return target.slice(0, Math.min(end < 0 ? target.length : end, MAX_TEXT));
}

const AUTHORITY = /^(?:\[(.*)\]|([^:]*))(?::([0-9]{1,5}))?$/;

function serverOf(authority: string): Readonly<Record<string, string | number>> {
  const [, inBrackets, plain = '', port] = AUTHORITY.exec(authority) ?? [];
  const host = (inBrackets ?? plain).toLowerCase().slice(0, MAX_TEXT);
  if (host === '') return {};
  return { 'server.address': host, ...(port !== undefined && { 'server.port': Number(port) }) };
}
