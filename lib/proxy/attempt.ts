import type { InformationEvent } from 'node:http';
import type { Duplex } from 'node:stream';
import { hasBody } from '../core/http/framing.ts';
import { MOST_INFORMATION } from '../core/http/information.ts';
import type { ExchangeLimits } from '../core/limits/exchange-limits.ts';
import type { ConnectionSlot } from '../backends/slots/backend-slots.ts';
import { isIdempotent, lossOnReused, mayResend } from '../core/health/retry.ts';
import type { Outcome } from '../core/routing/types.ts';
import { notConnected } from '../core/health/verdict.ts';
import type { Dialing } from '../backends/dialing/dialing.ts';
import { Timer } from '../clock/time-limits.ts';
import { decideReuse, relayResponse, relayInformation } from './response.ts';
import {
  type BackendResponse,
  type BackendRequest,
  Dropped,
  NotHttp,
  type SwitchingResponse,
  Unfit,
  type Wire,
} from '../backends/backend-request.ts';
import { BackendStream } from '../backends/http1/backend-stream.ts';
import type { Exchange } from './exchange.ts';
import type { AttemptParts } from './parts.ts';
import { relayUpgrade } from './upgrade.ts';
import { type UploadOwner, UploadProgress } from './upload-progress.ts';

/** It alone decides what an error means. `checking`: whether the idle connection had been closed. */
type Phase = 'waiting' | 'connecting' | 'checking' | 'sending' | 'sent' | 'settled';

/** One attempt to send a request to a backend, until the head of the response has come. */
export class Attempt implements UploadOwner {
  readonly outcome: Promise<Outcome>;
  /** Resolves when the attempt needs the backend's connection no more. */
  readonly freed: Promise<void>;
  readonly #exchange: Exchange;
  readonly #parts: AttemptParts;
  readonly #limits: ExchangeLimits;
  readonly #method: string;
  readonly #timer: Timer;
  readonly #slot: ConnectionSlot;
  /** Limits of the request's body; null before it is sent. */
  #upload: UploadProgress | null = null;
  /** How many requests the backend had responded to when this one was sent. */
  #responsesBefore = 0;
  /** `performance.now()`, ms: when the request began to be sent. */
  #sentAt = 0;
  #phase: Phase = 'waiting';
  #out: BackendRequest | null = null;
  #dialing: Dialing | null = null;
  #hasHeard = false;
  /** Number of 1xx responses so far. */
  #information = 0;
  /** Since when the attempt has had a reused connection, `performance.now()`, ms; null with a new connection. */
  #onReusedSince: number | null = null;
  /** The connection; null with HTTP/2. */
  #wire: BackendStream | null = null;
  /** Bytes that the connection had sent before. */
  #sentBefore = 0;
  #settle: (outcome: Outcome) => void = () => {};
  #free: () => void = () => {};

  /** @param slot at the backend */
  constructor(exchange: Exchange, parts: AttemptParts, slot: ConnectionSlot) {
    this.#exchange = exchange;
    this.#parts = parts;
    this.#limits = exchange.limits ?? parts.limits;
    this.#method = exchange.method;
    this.#slot = slot;
    this.#timer = new Timer(() => this.#onTimeout());
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.freed = new Promise((resolve) => {
      this.#free = resolve;
    });
    exchange.onInterrupt = () => this.#end({ type: 'abandoned' });
  }

  /** Whether the request may be sent again: a reused connection has failed before a byte of the response came. */
  get mayResend(): boolean {
    if (this.#hasHeard || !this.#exchange.body.isReplayable) return false;
    const refusal = this.#out?.refusal ?? null;
    if (refusal !== null) return mayResend(this.#method, refusal === 'certain');
    if (this.#onReusedSince === null) return false;
    const isUnsent = this.#wire?.sent === this.#sentBefore;
    return mayResend(this.#method, isUnsent);
  }

  /** A request that must not be sent twice is held back until the connection is known and checked. */
  get #isHeldBack(): boolean {
    return this.#out?.isChecking !== true && !isIdempotent(this.#method);
  }

  /** Starts sending. http-proxy calls this instead of piping the body. */
  start(out: BackendRequest): void {
    this.#out = out;
    this.#parts.clock.set(this.#timer, this.#limits.connectMs);
    out.once('socket', (socket: Wire) => this.#onSocket(socket));
    out.on('information', (information: InformationEvent) => this.#onInformation(information));
    out.once('response', (response: BackendResponse) => this.#onResponse(response));
    out.once('upgrade', (response: SwitchingResponse, socket: Duplex, head: Buffer) =>
      this.#onUpgrade(response, socket, head),
    );
    // Node closes the request without an error on an unsolicited 101.
    out.once('close', () => {
      this.#free();
      this.fail(new Error('the backend closed the connection'));
    });
    // Without a body nothing is held back: Node sends the head when there is a connection.
    if (!this.#hasBody && !this.#isHeldBack) out.end();
  }

  /** The request has failed. Ignored after the first response or error. */
  fail(cause: NodeJS.ErrnoException): void {
    if (cause instanceof Unfit) return this.#end({ type: 'unfit', cause });
    switch (this.#phase) {
      case 'waiting':
      case 'connecting':
        return this.#end(notConnected(cause));
      case 'checking':
        return this.#end({ type: 'dropped', cause });
      case 'sending':
      case 'sent':
        return this.#end({ type: this.#failureOf(cause), cause });
      case 'settled':
        return;
    }
  }

  /** A connection is being made for this attempt. */
  onDialing(dialing: Dialing): void {
    if (this.#phase === 'settled') return dialing.cancel();
    this.#dialing = dialing;
    this.#connecting();
  }

  get #hasBody(): boolean {
    const { head } = this.#exchange;
    return head !== null && hasBody(head.framing);
  }

  #onSocket(socket: Wire): void {
    if (this.#phase === 'settled') return;
    if (socket instanceof BackendStream) this.#wire = socket;
    if (socket.connecting) {
      this.#connecting();
      socket.once('ready', () => this.#onConnected());
      return;
    }
    if (this.#phase === 'waiting') this.#parts.use.reused++;
    if (this.#out?.reusedSocket) {
      this.#onReusedSince = performance.now();
      if (this.#wire !== null) {
        this.#sentBefore = this.#wire.sent;
        if (this.#isHeldBack) return this.#check(this.#wire);
      }
    }
    this.#phase = 'connecting';
    this.#onConnected();
  }

  /** Lets the event loop read what has come on an idle connection. */
  #check(socket: BackendStream): void {
    this.#phase = 'checking';
    setImmediate(() => {
      if (this.#phase !== 'checking') return;
      if (socket.destroyed || socket.readableEnded) return this.fail(new Error('the connection had been closed'));
      this.#onReusedSince = performance.now();
      this.#phase = 'connecting';
      this.#onConnected();
    });
  }

  #connecting(): void {
    this.#phase = 'connecting';
    this.#parts.use.opened++;
    // The time limit for connecting starts here, after the wait in the agent's queue.
    this.#parts.clock.set(this.#timer, this.#limits.connectMs);
  }

  #onConnected(): void {
    if (this.#phase !== 'connecting' || this.#out === null) return;
    this.#phase = 'sending';
    this.#wire?.expect(this.#method === 'HEAD', this.#exchange.upgrade !== null);
    this.#responsesBefore = this.#slot.backend.responseCount;
    this.#sentAt = performance.now();
    if (!this.#hasBody) {
      if (!this.#out.writableEnded) this.#out.end();
      return this.onBodySent();
    }
    const out = this.#out;
    this.#upload = new UploadProgress(this.#exchange, this.#parts, this.#slot, this.#timer, this);
    this.#upload.begin(out);
    // Sends the head at once, even if the body is slow or waits for a 100.
    setImmediate(() => {
      if (!out.destroyed && !out.writableEnded && this.#exchange.body.bytes === 0) out.flushHeaders();
    });
  }

  /** The whole request was given to the backend. */
  onBodySent(): void {
    if (this.#phase !== 'sending') return;
    this.#phase = 'sent';
    this.#parts.clock.set(this.#timer, this.#limits.firstByteMs);
  }

  #onInformation(information: InformationEvent): void {
    if (this.#phase === 'settled') return;
    if (this.#phase === 'checking') return this.fail(new Error('the backend sent bytes before a request'));
    this.#hasHeard = true;
    this.#information++;
    if (this.#information > MOST_INFORMATION) {
      this.#end({ type: 'garbled', cause: new Error('too many responses with status 1xx') });
      return;
    }
    this.#parts.clock.set(this.#timer, this.#limits.firstByteMs);
    relayInformation(this.#exchange, information);
  }

  #onResponse(response: BackendResponse): void {
    if (this.#phase === 'settled') {
      response.resume();
      return;
    }
    if (this.#phase === 'checking') return this.fail(new Error('the backend sent bytes before a request'));
    const out = this.#out;
    if (out === null) return;
    this.#hasHeard = true;
    const relay = relayResponse(this.#exchange, out, response, this.#parts, this.#slot);
    if (relay !== null) {
      this.#end({ type: 'garbled', cause: new Error(relay) });
      return;
    }
    this.#slot.backend.responded(response.statusCode ?? 0, this.#sentAt, performance.now());
    decideReuse(this.#exchange, out, response, this.#parts);
    this.#pass({
      type: 'answered',
      status: response.statusCode ?? 0,
      retryAfter: 'retry-after' in response.headers,
    });
  }

  #onUpgrade(response: SwitchingResponse, wire: Duplex, head: Buffer): void {
    const socket = wire instanceof BackendStream ? wire.release() : wire;
    const relay =
      this.#phase === 'settled' ? 'too late' : relayUpgrade(this.#exchange, response, socket, head, this.#parts);
    if (relay !== null) {
      socket.destroy();
      this.#end({ type: 'garbled', cause: new Error(relay) });
      return;
    }
    this.#slot.backend.responded(101, this.#sentAt, performance.now());
    this.#pass({ type: 'upgraded' });
  }

  #onTimeout(): void {
    switch (this.#phase) {
      case 'waiting':
        return this.#end({ type: 'crowded', cause: new Error('no connection was free in time') });
      case 'connecting':
        return this.#end({ type: 'unreachable', cause: new Error('connecting timed out') });
      case 'sending':
        if (this.#exchange.body.isPaused) break;
        return this.#upload?.giveUp('the request body stopped coming');
      case 'checking':
      case 'sent':
        break;
      case 'settled':
        return;
    }
    const hasRespondedToOthers = this.#slot.backend.responseCount !== this.#responsesBefore;
    this.#end({ type: 'silent', cause: new Error('the backend did not respond in time'), hasRespondedToOthers });
  }

  /** The outcome of a failure after part of the request may have reached the backend. */
  #failureOf(cause: NodeJS.ErrnoException): 'garbled' | 'dropped' | 'broken' {
    if (cause instanceof NotHttp || cause.code?.startsWith('HPE_')) return 'garbled';
    if (cause instanceof Dropped) return 'dropped';
    if (this.#onReusedSince === null || this.#hasHeard || isIdempotent(this.#method)) return 'broken';
    return lossOnReused(performance.now() - this.#onReusedSince);
  }

  /** Settles the attempt. If a response has begun, its relay owns the connection from now on. */
  #pass(outcome: Outcome): void {
    this.#phase = 'settled';
    this.#upload?.end();
    this.#parts.clock.clear(this.#timer);
    this.#settle(outcome);
  }

  #end(outcome: Outcome): void {
    if (this.#phase === 'settled') return;
    this.#exchange.onInterrupt = null;
    this.#exchange.body.stop();
    this.#pass(outcome);
    this.#out?.destroy();
    this.#dialing?.cancel();
  }
}
