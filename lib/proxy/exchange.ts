import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RouterError } from '../core/errors.ts';
import type { ExchangeLimits } from '../core/limits/exchange-limits.ts';
import { clientKey } from '../core/limits/client-key.ts';
import type { Peer } from '../core/http/forwarded.ts';
import type { RequestHead } from '../core/http/request-head.ts';
import type { OutgoingRequest } from '../core/http/request-headers.ts';
import type { Trace } from '../core/trace-context.ts';
import type { Permit } from '../core/routing/site.ts';
import type { Attempted, Backend, LookedUp, HandoffState, Route } from '../core/routing/types.ts';
import type { PacedFlow } from '../rates/paced-flow.ts';
import { RequestBody } from './body.ts';
import { readEarly } from './early-bytes.ts';
import { type Messages, nothing, TUNNELLED, type UpgradeSocket } from './messages.ts';

/** What an exchange is opened with. */
export interface ExchangeStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Set when the client asked to switch protocols. `response` is used if it is not switched. */
  readonly upgrade: UpgradeSocket | null;
  readonly peer: Peer;
  /** The state of a request that the fast lane has handed off; null when it came here first. */
  readonly handoff: HandoffState | null;
  /** Why the request is rejected, unless it is a ping. */
  readonly rejection?: RouterError | null;
}

const NO_FIELDS: readonly string[] = [];

/** Fields of a request that are in the access log. */
interface LoggedFields {
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
}

/** Counts the tunnels of a backend. */
interface TunnelCount {
  tunnels: number;
}

/**
 * One request, from its head to its log line. The steps fill in its fields; nothing is added to `request` or
 * `response`.
 */
export class Exchange {
  #messages: Messages;
  /** Set when the messages are dropped. */
  #logged: LoggedFields | null = null;
  /** The backend that counts the exchange among its tunnels. */
  #tunnelOf: TunnelCount | null = null;
  /** As the client sent them. A handed-off `request` may have others, which Node's parser accepts. */
  readonly method: string;
  readonly target: string;
  readonly peer: Peer;
  /** `performance.now()`, ms. */
  readonly startedAt: number;
  /** The body, or part of it, is lost: it cannot be read, and no next request can be found behind it. */
  readonly isBodyLost: boolean;
  /** The connection is the fast lane's, which reads and drops the rest of the body. */
  readonly isHandedOff: boolean;
  /** The route, if the fast lane has looked it up. */
  readonly lookedUp: LookedUp | null;
  /** The limits of its site have counted it, and let it through. */
  readonly isCounted: boolean;
  /** Why the request is rejected. */
  readonly rejection: RouterError | null;

  /** Null until it was parsed. */
  head: RequestHead | null = null;
  outgoing: OutgoingRequest | null = null;
  route: Route | null = null;
  /** Of its site, if that has its own; null where the configuration's count. */
  limits: ExchangeLimits | null = null;
  /** The trace that the exchange is part of; null until it is known. */
  trace: Trace | null = null;
  /** The backend that is tried, or has responded. */
  trying: Backend | null = null;
  /** `performance.now()`, ms. */
  tryingSince: number | null = null;
  readonly attempts: Attempted[] = [];
  /** The Set-Cookie value that the site adds to the response of the backend that is tried; null for none. */
  cookie: string | null = null;
  /** Why the router responded itself; null when a backend did. */
  refusal: RouterError | null = null;
  /** Why the client's side has ended the exchange. An error is sent as the response if possible. */
  interruption: RouterError | 'client-left' | null = null;
  /** Bytes of the response's body sent to the client; for a tunnel, the bytes from the backend. */
  bytesSent = 0;
  /** A 100 was sent to the client. */
  hasContinued = false;
  /** How long it has waited in its site's queue, ms. */
  queuedMs = 0;
  /** 0 until a response has begun. */
  status = 0;
  /** What slows the response or the tunnel down; null where nothing does. It stops with the exchange. */
  flow: PacedFlow | null = null;

  /** Set by the current step: stops it when the client's side breaks off. */
  onInterrupt: (() => void) | null = null;
  readonly ended: Promise<void>;
  /** Resolves when the exchange has ended and the rest of the request's body was handled. */
  readonly over: Promise<void>;
  /** Set while the rest of the body is handled after the response. */
  remainder: Promise<void> | null = null;
  #permit: Permit | null = null;
  #isEnded = false;
  #end: () => void = () => {};

  constructor(start: ExchangeStart) {
    const { request, response, upgrade, handoff } = start;
    this.peer = start.peer;
    this.method = handoff?.method ?? request.method ?? '';
    this.target = handoff?.target ?? request.url ?? '';
    this.rejection = start.rejection ?? null;
    this.startedAt = handoff?.startedAt ?? performance.now();
    this.isHandedOff = handoff !== null;
    this.lookedUp = handoff?.lookedUp ?? null;
    this.isBodyLost = handoff?.isBodyLost ?? false;
    this.isCounted = handoff?.isCounted ?? false;
    if (handoff !== null) this.#goOn(handoff);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.over = this.ended.then(() => this.remainder ?? undefined);
    // A tunnel outlives its response: the exchange ends with the socket.
    (upgrade === null ? response : upgrade.socket).on('close', this.#onClose);
    const takeEarly = upgrade === null ? nothing : readEarly(upgrade.socket, () => this.#onUpgradeEnd());
    this.#messages = { request, response, upgrade, body: new RequestBody(request), takeEarly };
  }

  get request(): IncomingMessage {
    return this.#messages.request;
  }

  get response(): ServerResponse {
    return this.#messages.response;
  }

  /** Null when the client did not ask to switch protocols, and when they were switched. */
  get upgrade(): UpgradeSocket | null {
    return this.#messages.upgrade;
  }

  get body(): RequestBody {
    return this.#messages.body;
  }

  /** Identifies the client for limits. */
  get clientKey(): string {
    return clientKey(this.outgoing?.clientIp ?? this.peer.address);
  }

  /** Fields of the request for the access log. */
  get logged(): LoggedFields {
    return this.#logged ?? loggedFields(this.request);
  }

  /** Returns what the client sent ahead of the response to its upgrade, after `upgrade.head`, and stops reading. */
  takeEarly(): Buffer {
    return this.#messages.takeEarly();
  }

  /**
   * The connection has become a tunnel. Drops the messages, because tunnels are many and may be idle for days: what is
   * recorded of the exchange stays.
   * @param cut destroys both sides of the tunnel
   */
  becomeTunnel(cut: () => void): void {
    this.onInterrupt = cut;
    this.#logged = loggedFields(this.request);
    this.#messages = TUNNELLED;
    const { outgoing } = this;
    if (outgoing !== null) this.outgoing = { ...outgoing, headers: NO_FIELDS, responseFields: NO_FIELDS };
  }

  /** Counts the exchange among the tunnels of a backend until it ends. Call it once. */
  countAsTunnel(backend: TunnelCount): void {
    if (this.#isEnded) return;
    backend.tunnels++;
    this.#tunnelOf = backend;
  }

  /** Its permits under its site's limits of requests in flight, which it releases when it ends. Null without any. */
  get permit(): Permit | null {
    return this.#permit;
  }

  /** Call it once. */
  keep(permit: Permit): void {
    if (this.#isEnded) permit.release();
    else this.#permit = permit;
  }

  /** Nothing more will be sent to the client. Idempotent. */
  end(): void {
    this.#isEnded = true;
    this.#permit?.release();
    if (this.#tunnelOf !== null) this.#tunnelOf.tunnels--;
    this.#tunnelOf = null;
    this.flow?.stop();
    this.#end();
  }

  /** The client's connection is closed, or the client has the whole response. Idempotent. */
  onClientGone(): void {
    if (!this.response.writableFinished) this.interrupt('client-left');
    this.end();
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether the head of a response was written: from then on the client can only be cut off. */
  get isResponding(): boolean {
    return this.status !== 0;
  }

  /** Stops the exchange: the client has left, or sent something that cannot be passed on. The first reason counts. */
  interrupt(reason: RouterError | 'client-left'): void {
    if (this.interruption !== null) return;
    // The rest of the body may still be handled.
    if (this.#isEnded) return this.onInterrupt?.();
    this.interruption = reason;
    this.body.stop();
    this.onInterrupt?.();
    // A partial response must not look like a whole one.
    if (this.isResponding) this.cut();
  }

  #goOn({ attempts, triedAt, interruption, trace, queuedMs, permit }: HandoffState): void {
    this.queuedMs = queuedMs;
    this.trace = trace;
    this.#permit = permit;
    this.attempts.push(...attempts);
    this.trying = attempts.at(-1)?.backend ?? null;
    this.tryingSince = triedAt;
    this.interruption = interruption;
  }

  readonly #onClose = (): void => this.onClientGone();

  /** A client that ends its side before the response has left: it could not use the tunnel. */
  #onUpgradeEnd(): void {
    if (!this.isResponding) this.upgrade?.socket.destroy();
  }

  /** Destroys the client's connection: a partial response must not look like a whole one. */
  cut(): void {
    if (this.#isEnded || this.#messages === TUNNELLED) this.onInterrupt?.();
    if (this.upgrade) this.upgrade.socket.destroy();
    else this.response.destroy();
    this.end();
  }
}

function loggedFields({ headers }: IncomingMessage): LoggedFields {
  return { referer: headers.referer, userAgent: headers['user-agent'] };
}
