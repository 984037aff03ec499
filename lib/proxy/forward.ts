/**
 * Sends a request to a backend through http-proxy and says how that ended: the only file that knows the library.
 *
 * What http-proxy 1.18.1 is left to do: compose the client request, send it on one of our connections, report its
 * errors. What it would get wrong on today's Node is taken out of its hands, by means of its own options:
 * - it lower-cases and merges header fields and normalises paths: `ssl`, the object that it fills in and passes to
 *   `http.request`, here has a path and header list of its own that do not change;
 * - it pipes the body away before there is a connection, so that after a refusal nothing is left to send elsewhere:
 *   `buffer`, the stream that it pipes instead, is the Attempt, which takes the request over and holds the body back;
 * - it copies the backend's hop-by-hop fields and framing to the client, drops trailers and 1xx, and leaves the client
 *   waiting when the backend is cut: `selfHandleResponse` leaves the answer to answer.ts;
 * - it rewrites a chunked DELETE to `content-length: 0` with the body still behind it (CVE-2026-29057): that pass is
 *   taken off its public list;
 * - its `ws` ends the client's socket on any error, and sends a decoded body under a chunked head: an upgrade is a
 *   request whose answer may be a 101, so it takes the way of all requests.
 * It never sees the client's own request and response, so it hangs no listeners on them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Stream } from 'node:stream';
import httpProxy from 'http-proxy';
import { isHttp2, isTls, pathAt, serverOf } from '../core/backend.ts';
import { rewritePath } from '../core/path-rewrite.ts';
import type { Places } from '../core/places.ts';
import { traceparent } from '../core/trace-context.ts';
import type { Backend, Outcome } from '../core/types.ts';
import { Attempt, type AttemptParts } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import { asksForTrailers, http2Fields } from '../core/http2-fields.ts';
import { type Http2Head, Http2Request } from './http2-request.ts';
import type { Http2Sessions } from './http2-sessions.ts';
import type { ForBackend, Pools } from './pools.ts';
import type { SlowUploads } from './slow-uploads.ts';
import { awaitPlace } from './turn.ts';

/** Stale connections met in a row before the backend is taken at its word. */
const STALE_LIMIT = 3;

/** http-proxy's list of steps, public but missing in its types. */
interface HasPasses {
  webPasses: { readonly name: string }[];
}

/** What http-proxy looks at of a request and a response before it hands over. */
const RESPONSE_STAND_IN = { headersSent: true, finished: false } as unknown as ServerResponse;

export interface ForwarderParts extends AttemptParts {
  readonly pools: Pools;
  readonly sessions: Http2Sessions;
  readonly places: Places;
  readonly slowUploads: SlowUploads;
}

export class Forwarder {
  readonly #parts: ForwarderParts;
  readonly #proxy = httpProxy.createProxyServer();

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
    const proxy = this.#proxy as unknown as HasPasses;
    proxy.webPasses = proxy.webPasses.filter((pass) => pass.name !== 'deleteLength');
  }

  /** One attempt. A connection that proved stale is not one: it is replaced, and nobody hears of it. Never rejects. */
  async forward(exchange: Exchange, backend: Backend): Promise<Outcome> {
    if (!exchange.body.isSlow) return await this.#try(exchange, backend);
    const { slowUploads, sessions, places } = this.#parts;
    const leave = slowUploads.enter(backend, isHttp2(backend) ? sessions.roomAt(backend) : places.limit);
    if (leave === null) return { type: 'crowded', cause: new Error('too many slow uploads to this backend') };
    void exchange.ended.then(leave);
    const outcome = await this.#try(exchange, backend);
    if (outcome.type !== 'answered') leave();
    return outcome;
  }

  async #try(exchange: Exchange, backend: Backend): Promise<Outcome> {
    // Streams share connections, and are bounded by what the backend takes.
    return isHttp2(backend) ? await this.#tryHttp2(exchange, backend) : await this.#tryHttp1(exchange, backend);
  }

  async #tryHttp1(exchange: Exchange, backend: Backend): Promise<Outcome> {
    const { places, clock, limits } = this.#parts;
    const place =
      places.enter(serverOf(backend)) ??
      (await awaitPlace(exchange, serverOf(backend), places, clock, limits.connectMs));
    if ('type' in place) return place;
    // A moment later: the connection is free only when its agent has been told so.
    const leave = (): unknown => setImmediate(() => place.leave());
    for (let stale = 0; ; stale++) {
      const attempt = new Attempt(exchange, this.#parts);
      this.#parts.pools.makeRoom(backend);
      this.#send(exchange, backend, attempt);
      const outcome = await attempt.outcome;
      if (outcome.type === 'broken' && attempt.wasStale && stale < STALE_LIMIT) {
        this.#parts.pools.forget(backend);
        continue;
      }
      if (outcome.type === 'answered') void attempt.freed.then(leave);
      else leave();
      return outcome;
    }
  }

  async #tryHttp2(exchange: Exchange, backend: Backend): Promise<Outcome> {
    for (let stale = 0; ; stale++) {
      const attempt = new Attempt(exchange, this.#parts);
      const out = new Http2Request(this.#http2Head(exchange, backend), backend, this.#parts.sessions);
      out.on('error', (error: Error) => attempt.fail(error));
      attempt.start(out);
      const outcome = await attempt.outcome;
      if (outcome.type !== 'broken' || !attempt.wasStale || stale >= STALE_LIMIT) return outcome;
    }
  }

  #http2Head(exchange: Exchange, backend: Backend): Http2Head {
    const { request, head } = exchange;
    const target = {
      method: request.method ?? 'GET',
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
    const rewrite = route?.options.rewrite ?? null;
    const path = rewrite === null ? asked : rewritePath(rewrite, route?.prefix ?? '', asked);
    return this.#parts.hasBackendPath ? pathAt(backend, path) : path;
  }

  /** The fields for the backend. A connection that will not be kept says so: Node's agent would only close it. */
  #headers({ outgoing, upgrade, trace, attempts }: Exchange): readonly string[] {
    let headers: readonly string[] = outgoing?.headers ?? [];
    if (trace !== null) headers = [...headers, 'traceparent', traceparent(trace, attempts.length)];
    return upgrade || this.#parts.pools.isKeeping ? headers : [...headers, 'Connection', 'close'];
  }

  #send(exchange: Exchange, backend: Backend, attempt: Attempt): void {
    const { method = 'GET' } = exchange.request;
    const path = this.#path(exchange, backend);
    const headers = this.#headers(exchange);
    this.#proxy.web(
      requestStandIn(method, path),
      RESPONSE_STAND_IN,
      {
        // Whatever the backend is: our agent makes the connection, TLS included.
        target: { protocol: 'http:', host: backend.hostname, port: backend.port },
        agent: this.#parts.pools.agent,
        ssl: clientOptions(path, headers, backend, attempt),
        buffer: { pipe: (out: Parameters<Attempt['start']>[0]) => attempt.start(out) } as unknown as Stream,
        selfHandleResponse: true,
        toProxy: true,
      },
      (error) => attempt.fail(error),
    );
  }
}

function requestStandIn(method: string, url: string): IncomingMessage {
  return { method, url, headers: {}, socket: { destroyed: false }, on: () => {} } as unknown as IncomingMessage;
}

/** Options for `http.request` that http-proxy fills in, but for the path and headers, which stay as they are. */
function clientOptions(path: string, headers: readonly string[], backend: Backend, attempt: Attempt): object {
  const forAgent: ForBackend = { backend, onDialing: (dialing) => attempt.onDialing(dialing) };
  return {
    ...forAgent,
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
