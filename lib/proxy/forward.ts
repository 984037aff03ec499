/**
 * Sends a request to a backend through http-proxy and returns the outcome. The only file that uses the library.
 *
 * http-proxy 1.18.1 composes the client request, sends it on one of our connections, and reports its errors. What it
 * would do wrong on today's Node is prevented by its own options:
 * - it lower-cases and merges header fields and normalises paths: `ssl`, the object that it fills in and passes to
 *   `http.request`, here has a path and header list of its own that do not change;
 * - it pipes the body before there is a connection, so that after a refusal nothing is left to send to another
 *   backend: `buffer`, the stream that it pipes instead, is the Attempt, which takes the request over and holds the
 *   body back;
 * - it copies the backend's hop-by-hop fields and framing to the client, drops trailers and 1xx, and leaves the
 *   client waiting when the backend is cut: `selfHandleResponse` leaves the response to response.ts;
 * - it rewrites a chunked DELETE to `content-length: 0` with the body still behind it (CVE-2026-29057): that pass is
 *   removed from its public list;
 * - its `ws` ends the client's socket on any error, and sends a decoded body under a chunked head: an upgrade is a
 *   request that may get a 101, so it is handled like any request.
 * It never sees the client's own request and response, so it adds no listeners to them.
 */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Stream } from 'node:stream';
import httpProxy from 'http-proxy';
import { isHttp2, isTls, pathAt } from '../core/routing/backend.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import { RouterError } from '../core/errors.ts';
import type { ConnectionSlot } from '../backends/slots/backend-slots.ts';
import type { ConnectionSlots } from '../backends/slots/connection-slots.ts';
import { isIdempotent, REFUSED_LIMIT, STALE_LIMIT, UNSAFE_IDLE_MS } from '../core/health/retry.ts';
import { traceparent } from '../core/trace-context.ts';
import type { Backend, Outcome } from '../core/routing/types.ts';
import { HEAD_BYTES } from '../http1/lenient-response.ts';
import { Attempt } from './attempt.ts';
import type { AttemptParts } from './parts.ts';
import type { Exchange } from './exchange.ts';
import { Refused } from '../backends/backend-request.ts';
import { asksForTrailers, http2Fields } from '../core/http/http2-fields.ts';
import { type Http2Head, Http2Request } from '../backends/http2/request.ts';
import type { Http2Sessions } from '../backends/http2/sessions.ts';
import type { ForBackend, AgentPool } from '../backends/http1/agent-pool.ts';
import { awaitSlot } from '../backends/slots/slot-queues.ts';
import type { BackendState } from '../backends/state/backend-state.ts';
import type { BackendStates } from '../backends/state/backend-states.ts';
import type { SlowUploads } from './slow-uploads.ts';

/** Maximum length of a method in a message, characters. */
const MAX_METHOD = 40;

/** http-proxy's list of steps, public but missing in its types. */
interface HasPasses {
  webPasses: { readonly name: string }[];
}

/** The properties of a response that http-proxy reads before it calls `selfHandleResponse`. */
const RESPONSE_STAND_IN = { headersSent: true, finished: false } as unknown as ServerResponse;

export interface ForwarderParts extends AttemptParts {
  readonly pools: AgentPool;
  readonly sessions: Http2Sessions;
  readonly slots: ConnectionSlots;
  readonly backends: BackendStates;
  readonly slowUploads: SlowUploads;
}

/** A backend's state, and the request's connection slot there. */
interface Entered {
  readonly state: BackendState;
  readonly slot: ConnectionSlot;
}

/** The outcome of an attempt; `freed` resolves when its connection is no longer needed. */
interface Tried {
  readonly outcome: Outcome;
  readonly freed: Promise<void>;
}

export class Forwarder {
  readonly #parts: ForwarderParts;
  readonly #proxy = httpProxy.createProxyServer();

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
    const proxy = this.#proxy as unknown as HasPasses;
    proxy.webPasses = proxy.webPasses.filter((pass) => pass.name !== 'deleteLength');
  }

  /** Makes one attempt. A stale connection does not count: it is replaced without being reported. Never rejects. */
  async forward(exchange: Exchange, backend: Backend): Promise<Outcome> {
    if (!exchange.body.isSlow) return await this.#try(exchange, backend);
    const giveUp = (): void =>
      exchange.interrupt(new RouterError('request-timeout', 'the request body held a slot that others needed'));
    const uploader = { site: siteOf(exchange.route?.key ?? ''), client: exchange.clientKey };
    const leave = this.#parts.slowUploads.enter(backend, uploader, this.#limitAt(backend), giveUp);
    if (leave === null) return { type: 'crowded', cause: new Error('too many slow uploads to this backend') };
    void exchange.over.then(leave);
    const outcome = await this.#try(exchange, backend);
    if (outcome.type !== 'answered') leave();
    return outcome;
  }

  async #try(exchange: Exchange, backend: Backend): Promise<Outcome> {
    const { method } = exchange;
    if (!isHttp2(backend) && method !== method.toUpperCase()) return { type: 'unfit', cause: inCapitals(method) };
    const { slots, clock, backends } = this.#parts;
    const { connectMs } = exchange.limits ?? this.#parts.limits;
    const state = backends.of(backend);
    const client = exchange.clientKey;
    const site = siteOf(exchange.route?.key ?? '');
    const now = performance.now();
    const wait = (onTurn: (slot: ConnectionSlot) => void): (() => void) =>
      slots.wait(state.slots, site, client, now, onTurn);
    const slot =
      slots.enter(state.slots, site, client, now, this.#limitAt(backend)) ??
      (await awaitSlot(exchange, wait, clock, connectMs));
    if ('type' in slot) return slot;
    // Later: the connection is free only after its agent knows. Too early, the agent would queue the next request,
    // and then open a connection for it with the options of this one.
    const leave = (): unknown => setImmediate(() => slot.leave());
    const attempting = isHttp2(backend)
      ? this.#tryHttp2(exchange, backend, slot)
      : this.#tryHttp1(exchange, backend, { state, slot });
    const { outcome, freed } = await attempting;
    // The agent no longer owns a tunnel's connection. An HTTP/2 stream that has become a tunnel still counts as one
    // of the backend's streams.
    if (outcome.type === 'upgraded' && !isHttp2(backend)) {
      exchange.countAsTunnel(state);
      leave();
    } else {
      void freed.then(leave);
    }
    return outcome;
  }

  /** Maximum number of concurrent requests to a backend. With HTTP/2 it is the backend's limit of streams. */
  #limitAt(backend: Backend): number {
    const { sessions, slots } = this.#parts;
    return isHttp2(backend) ? sessions.limitAt(backend) : slots.limit;
  }

  async #tryHttp1(exchange: Exchange, backend: Backend, { state, slot }: Entered): Promise<Tried> {
    for (let stale = 0; ; stale++) {
      const attempt = new Attempt(exchange, this.#parts, slot);
      this.#closeDoubtful(exchange, state);
      this.#parts.pools.makeRoom(state);
      this.#send(exchange, backend, state, attempt);
      const outcome = await attempt.outcome;
      if (!isLost(outcome) || !attempt.mayResend || stale >= STALE_LIMIT) {
        return { outcome, freed: attempt.freed };
      }
      this.#parts.pools.forget(state);
    }
  }

  /** If the request must not be sent twice, closes idle connections that the backend may be about to close. */
  #closeDoubtful({ method, head }: Exchange, state: BackendState): void {
    if (isIdempotent(method)) return;
    // Node sends a head with Expect as soon as it has a connection, which cannot be checked before: use a new one.
    this.#parts.pools.closeOld(state, head?.expectsContinue === true ? -1 : UNSAFE_IDLE_MS);
  }

  async #tryHttp2(exchange: Exchange, backend: Backend, slot: ConnectionSlot): Promise<Tried> {
    let stale = 0;
    for (let refused = 0; ;) {
      const attempt = new Attempt(exchange, this.#parts, slot);
      const out = new Http2Request(this.#http2Head(exchange, backend), this.#parts.sessions.of(backend));
      out.on('error', (error: Error) => attempt.fail(error));
      attempt.start(out);
      const outcome = await attempt.outcome;
      const { freed } = attempt;
      if (!isLost(outcome) || !attempt.mayResend) return { outcome, freed };
      // It waits for a stream of its connection, which gives none for a while.
      if (outcome.cause instanceof Refused) {
        if (refused++ >= REFUSED_LIMIT) return { outcome: { type: 'crowded', cause: outcome.cause }, freed };
      } else if (stale++ >= STALE_LIMIT) return { outcome, freed };
    }
  }

  #http2Head(exchange: Exchange, backend: Backend): Http2Head {
    const { request, method, head } = exchange;
    const target = {
      method,
      scheme: isTls(backend) ? 'https' : 'http',
      authority: head?.authority ?? '',
      path: this.#path(exchange, backend),
      takesTrailers: asksForTrailers(request.rawHeaders),
      isWebSocket: exchange.upgrade !== null,
    } as const;
    const webSocketKey = exchange.upgrade && (request.headers['sec-websocket-key'] ?? '');
    return {
      fields: http2Fields(this.#headers(exchange), target),
      isChunked: head?.framing.kind === 'chunked',
      webSocketKey,
    };
  }

  #path(exchange: Exchange, backend: Backend): string {
    const { head, route } = exchange;
    const asked = head?.path ?? '/';
    const path = route === null ? asked : route.site.targetFor(asked, route.prefix);
    return this.#parts.hasBackendPath ? pathAt(backend, path) : path;
  }

  /**
   * The fields for the backend, with `Connection: close` if the connection will not be kept: Node's agent would not
   * send it.
   */
  #headers({ outgoing, route, upgrade, trace, attempts }: Exchange): readonly string[] {
    let headers: readonly string[] = outgoing?.headers ?? [];
    if (route !== null) headers = route.site.adaptRequest(headers);
    if (trace !== null) headers = [...headers, 'traceparent', traceparent(trace, attempts.length)];
    return upgrade || this.#parts.pools.isKeeping ? headers : [...headers, 'Connection', 'close'];
  }

  #send(exchange: Exchange, backend: Backend, { agent: connections }: BackendState, attempt: Attempt): void {
    const { method } = exchange;
    const path = this.#path(exchange, backend);
    const headers = this.#headers(exchange);
    this.#proxy.web(
      requestStandIn(method, path),
      RESPONSE_STAND_IN,
      {
        // For all protocols: our agent makes the connection, including TLS.
        target: { protocol: 'http:', host: backend.hostname, port: backend.port },
        agent: this.#parts.pools.agent,
        ssl: clientOptions(path, headers, { backend, connections, onDialing: (dialing) => attempt.onDialing(dialing) }),
        buffer: { pipe: (out: ClientRequest) => begin(attempt, out) } as unknown as Stream,
        selfHandleResponse: true,
        toProxy: true,
      },
      (error) => attempt.fail(error),
    );
  }
}

/** Node's HTTP/1.1 client changes methods to upper case, which is another method (RFC 9110 §9.1). */
function inCapitals(method: string): RouterError {
  return new RouterError('method-unknown', `the method ${method.slice(0, MAX_METHOD)} cannot be sent on from here`);
}

function begin(attempt: Attempt, out: ClientRequest): void {
  // Node would silently drop fields past 2,000. The size of the head limits them.
  out.maxHeadersCount = 0;
  attempt.start(out);
}

function isLost(outcome: Outcome): outcome is Extract<Outcome, { type: 'broken' | 'dropped' }> {
  return outcome.type === 'broken' || outcome.type === 'dropped';
}

function requestStandIn(method: string, url: string): IncomingMessage {
  return { method, url, headers: {}, socket: { destroyed: false }, on: () => {} } as unknown as IncomingMessage;
}

/** Options for `http.request`, which http-proxy fills in, except the path and headers: these do not change. */
function clientOptions(path: string, headers: readonly string[], forAgent: ForBackend): object {
  return {
    ...forAgent,
    maxHeaderSize: HEAD_BYTES,
    get path() {
      return path;
    },
    set path(_normalised) {},
    get headers() {
      return headers;
    },
    set headers(_merged) {},
  };
}
