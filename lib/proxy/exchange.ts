import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RouterError } from '../core/errors.ts';
import type { Peer } from '../core/http/forwarded.ts';
import type { RequestHead } from '../core/http/request-head.ts';
import type { OutgoingRequest } from '../core/http/request-headers.ts';
import type { Trace } from '../core/trace-context.ts';
import type { Attempted, Backend, LookedUp, HandoffState, Route } from '../core/routing/types.ts';
import { RequestBody } from './body.ts';
import { readEarly } from './early-bytes.ts';

/** The client's socket after an upgrade request, and the bytes that came with it. */
export interface UpgradeSocket {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** What an exchange is opened with. */
export interface ExchangeStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Set when the client asked to switch protocols: `response` answers it if that comes to nothing. */
  readonly upgrade: UpgradeSocket | null;
  readonly peer: Peer;
  /** What the fast lane did for the request before; null when it came here first. */
  readonly handoff: HandoffState | null;
  /** Why it will not be served, whatever it asks for, but for a ping. */
  readonly rejection?: RouterError | null;
}

/** One request, from its head to its log line. Steps fill it in; nothing is hung on `request` or `response`. */
export class Exchange {
  readonly request: IncomingMessage;
  /** As the client sent them; `request` may have others, which Node's parser takes. */
  readonly method: string;
  readonly target: string;
  readonly response: ServerResponse;
  readonly upgrade: UpgradeSocket | null;
  readonly peer: Peer;
  readonly body: RequestBody;
  /** Gives what the client sent ahead of the answer to its upgrade, after `upgrade.head`; from then on its bytes are the caller's. */
  readonly takeEarly: () => Buffer;
  /** `performance.now()`, ms. */
  readonly startedAt: number;
  /** Its body, or part of it, is gone: neither can it be read, nor can a next request be found behind it. */
  readonly isBodyLost: boolean;
  /** Its connection is the fast lane's, which reads the rest of a body that nobody wants. */
  readonly isHandedOff: boolean;
  /** Its route, where the fast lane has looked it up. */
  readonly lookedUp: LookedUp | null;
  /** Why it will not be served. */
  readonly rejection: RouterError | null;

  /** Null until it was understood. */
  head: RequestHead | null = null;
  outgoing: OutgoingRequest | null = null;
  route: Route | null = null;
  /** Its part in a trace; null until it has one. */
  trace: Trace | null = null;
  /** The backend being tried, or the one that answered. */
  trying: Backend | null = null;
  /** `performance.now()`, ms. */
  tryingSince: number | null = null;
  readonly attempts: Attempted[] = [];
  /** Why the router answered itself; null when a backend did. */
  refusal: RouterError | null = null;
  /** Why the exchange was cut short from the client's side; its answer, if there can be one. */
  interruption: RouterError | 'client-left' | null = null;
  /** Of the answer's body, to the client; both ways for a tunnel's bytes from the backend. */
  bytesSent = 0;
  /** Its client has been told to send the body that it held back (100). */
  hasContinued = false;
  /** 0 until an answer began. */
  status = 0;

  /** Set by whatever is under way: how to stop it when the client's side breaks off. */
  onInterrupt: (() => void) | null = null;
  readonly ended: Promise<void>;
  /** Resolves when it has ended, and the rest of its request's body is through, too. */
  readonly over: Promise<void>;
  /** Set by what reads the rest of the body after the answer. */
  rest: Promise<void> | null = null;
  #isEnded = false;
  #end: () => void = () => {};

  constructor(start: ExchangeStart) {
    this.request = start.request;
    this.response = start.response;
    this.upgrade = start.upgrade;
    this.peer = start.peer;
    this.body = new RequestBody(start.request);
    const { handoff } = start;
    this.method = handoff?.method ?? start.request.method ?? '';
    this.target = handoff?.target ?? start.request.url ?? '';
    this.rejection = start.rejection ?? null;
    this.startedAt = handoff?.startedAt ?? performance.now();
    this.isHandedOff = handoff !== null;
    this.lookedUp = handoff?.lookedUp ?? null;
    this.isBodyLost = handoff?.isBodyLost ?? false;
    if (handoff !== null) this.#goOn(handoff);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.over = this.ended.then(() => this.rest ?? undefined);
    const { response, upgrade } = this;
    const onClose = (): void => this.onClientGone();
    // A tunnel outlives its response, which is never written then; the socket's end is the exchange's.
    if (upgrade) upgrade.socket.once('close', onClose);
    else response.once('close', onClose);
    this.takeEarly = upgrade ? readEarly(upgrade.socket, () => this.#onUpgradeEnd(upgrade)) : () => Buffer.alloc(0);
  }

  /** Nothing more will be sent to the client. Idempotent. */
  end(): void {
    this.#isEnded = true;
    this.#end();
  }

  /** The client's connection is closed, or it has all of its answer. Idempotent. */
  onClientGone(): void {
    if (!this.response.writableFinished) this.interrupt('client-left');
    this.end();
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether the head of an answer has been written: from then on the client can only be cut off. */
  get isResponding(): boolean {
    return this.status !== 0;
  }

  /** The client left, or sent what cannot be passed on: stops what is under way. The first reason counts. */
  interrupt(reason: RouterError | 'client-left'): void {
    if (this.interruption !== null) return;
    // There may be something under way still: the rest of the body.
    if (this.#isEnded) return this.onInterrupt?.();
    this.interruption = reason;
    this.body.stop();
    this.onInterrupt?.();
    // Half of an answer must not look like a whole one.
    if (this.isResponding) this.cut();
  }

  #goOn({ attempts, triedAt, interruption, trace }: HandoffState): void {
    this.trace = trace;
    this.attempts.push(...attempts);
    this.trying = attempts.at(-1)?.backend ?? null;
    this.tryingSince = triedAt;
    this.interruption = interruption;
  }

  /** A client that ends its side before it was answered has left: it could never use what it asked for. */
  #onUpgradeEnd({ socket }: UpgradeSocket): void {
    if (!this.isResponding) socket.destroy();
  }

  /** Destroys the client's connection: what it got must not look complete. */
  cut(): void {
    if (this.#isEnded) this.onInterrupt?.();
    if (this.upgrade) this.upgrade.socket.destroy();
    else this.response.destroy();
    this.end();
  }
}
