import type { RouterError } from '../core/errors.ts';
import { spokenVersion } from '../core/http/forwarded.ts';
import type { ExchangeRecord } from '../core/record/exchange-record.ts';
import type { Ending, TracedAttempt, TracedExchange } from '../core/record/spans.ts';
import type { Permit } from '../core/routing/site.ts';
import type { Backend, LookedUp, Outcome, HandoffState, Route } from '../core/routing/types.ts';
import type { ResponseRelay } from './response-relay.ts';
import type { HeadWriter, WrittenHead } from './head-writer.ts';
import type { LaneParts } from './parts.ts';
import type { ReadRequest } from './request-grammar.ts';
import type { ReadResponse } from '../http1/response-grammar.ts';

/**
 * The facts of one exchange, and the records made from them when it ends in this lane or is handed off. One for each
 * client's connection, reused for each request.
 */
export class Account {
  request: ReadRequest | null = null;
  /** The head that is sent to the backend. */
  head: WrittenHead | null = null;
  route: Route | null = null;
  /** The host that is asked for, if it has no route. */
  unknownHost: string | null = null;
  /** The store has returned `route`. */
  isLookedUp = false;
  /** Why the lookup failed; null when it did not. */
  lookupFault: unknown = null;
  /** The chosen backend. */
  backend: Backend | null = null;
  /** The client, as `clientKey` returns it; "" before it was needed. */
  clientKey = '';
  /** The limits of its site have counted it, and let it through. */
  isCounted = false;
  /** How long it has waited in its site's queue, ms. */
  queuedMs = 0;
  /** Its permits under the site's limits of requests in flight; null without any. */
  permit: Permit | null = null;
  startedAt = 0;
  /** When the backend was chosen; 0 before. */
  triedAt = 0;

  /** Resets all facts for the next request. */
  begin(request: ReadRequest, now: number): void {
    this.request = request;
    this.head = null;
    this.route = null;
    this.unknownHost = null;
    this.isLookedUp = false;
    this.lookupFault = null;
    this.backend = null;
    this.isCounted = false;
    this.clientKey = '';
    this.queuedMs = 0;
    this.permit = null;
    this.startedAt = now;
    this.triedAt = 0;
  }

  /**
   * The head of a response has come. @param isDead this worker takes the backend for dead. @param judge as in
   * LaneParts
   */
  judge({ status, hasRetryAfter: retryAfter }: ReadResponse, isDead: boolean, judge: LaneParts['judge']): void {
    // Only a status from 500 on can mark a backend dead (see core/health/verdict.ts). Any other matters only if the
    // backend is dead, or on trial: it may be alive again; or if the site counts responses.
    const { route, backend, triedAt, head } = this;
    if (route === null || backend === null || head === null) return;
    if (status < 500 && !isDead && route.onTrial.size === 0 && route.site.eject === null) return;
    const outcome = { type: 'answered', status, retryAfter } as const;
    judge({ found: route, backend, outcome, begunAt: triedAt, hasBlamed: false, client: head.clientIp });
  }

  /** The record for the access log and the metrics. */
  record(request: ReadRequest, writer: HeadWriter, relay: ResponseRelay, endedAt: number): ExchangeRecord {
    const { method, target, referer, userAgent } = request;
    return {
      clientIp: this.head?.clientIp ?? writer.peer.address,
      method,
      target,
      status: relay.status,
      bytes: relay.bodyBytes,
      referer,
      userAgent,
      host: this.route?.frontend ?? this.unknownHost,
      backend: this.backend?.href ?? null,
      name: this.route?.name ?? null,
      totalMs: endedAt - this.startedAt,
      backendMs: this.triedAt === 0 ? null : endedAt - this.triedAt,
    };
  }

  /** The record for tracing; null when the exchange is in no sampled trace. */
  traced(
    request: ReadRequest,
    writer: HeadWriter,
    relay: ResponseRelay,
    ending: Ending,
    endedAt: number,
  ): TracedExchange | null {
    // If the client left before a head was written, write it now: it contains the trace.
    const { trace, clientIp } = this.head ?? writer.write(request);
    if (trace === null || !trace.isSampled) return null;
    const { peer } = writer;
    return {
      trace,
      method: request.method,
      target: request.target,
      version: spokenVersion(peer, '1.1'),
      isTls: peer.isTls,
      authority: request.host,
      clientIp,
      peerAddress: peer.address,
      status: relay.status,
      route: this.route,
      startedAt: this.startedAt,
      endedAt,
      attempts: this.#attempts(relay, endedAt),
      refusal: relay.refusal,
      ending,
    };
  }

  /** The state with which the full lane goes on, with the permits. @param outcome of the attempt; null when there was none */
  handoff(
    { method, target }: ReadRequest,
    outcome: Outcome | null,
    interruption: RouterError | null,
    isBodyLost: boolean,
    now: number,
  ): HandoffState {
    const { startedAt, backend, isCounted, queuedMs, permit } = this;
    this.permit = null;
    const trace = this.head?.trace ?? null;
    const known = { method, target, startedAt, lookedUp: this.#lookedUp, interruption, isBodyLost };
    const common = { ...known, trace, isCounted, queuedMs, permit };
    if (outcome === null || backend === null) return { ...common, triedAt: null, attempts: [] };
    const attempt = { backend, outcome, startedAt: this.triedAt, tookMs: now - this.triedAt };
    return { ...common, triedAt: this.triedAt, attempts: [attempt] };
  }

  get #lookedUp(): LookedUp | null {
    if (this.lookupFault !== null) return { fault: this.lookupFault };
    return this.isLookedUp ? { route: this.route } : null;
  }

  #attempts({ response }: ResponseRelay, endedAt: number): readonly TracedAttempt[] {
    const { backend, triedAt: startedAt } = this;
    if (backend === null) return [];
    const outcome: Outcome =
      response === null
        ? { type: 'abandoned' }
        : { type: 'answered', status: response.status, retryAfter: response.hasRetryAfter };
    return [{ backend, startedAt, tookMs: endedAt - startedAt, outcome }];
  }
}
