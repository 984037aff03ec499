import type { InformationEvent } from 'node:http';
import type { Duplex } from 'node:stream';
import { RouterError } from '../core/errors.ts';
import { MOST_INFORMATION } from '../core/information.ts';
import { mayResend } from '../core/retry.ts';
import type { ConnectionUse, Outcome } from '../core/types.ts';
import { notConnected } from '../core/verdict.ts';
import type { Dialing } from '../dial/dialing.ts';
import { Alarm, type AlarmClock } from './alarms.ts';
import { relayAnswer, relayInformation } from './answer.ts';
import {
  type BackendAnswer,
  type BackendRequest,
  Dropped,
  NotHttp,
  type SwitchingAnswer,
  Unfit,
  type Wire,
} from './backend-request.ts';
import type { BodyProgress } from './body.ts';
import type { Exchange } from './exchange.ts';
import type { Limits } from './limits.ts';
import { Pace } from '../core/pace.ts';
import { relayUpgrade } from './upgrade.ts';

export interface AttemptParts {
  readonly clock: AlarmClock;
  readonly limits: Limits;
  readonly use: ConnectionUse;
  /** Whether the paths of backends' URLs count. */
  readonly hasBackendPath: boolean;
  /** Whether answers should ask clients to close their connection. */
  readonly isDraining: () => boolean;
}

/** Where an attempt stands. What an error means depends on nothing else. */
type Phase = 'waiting' | 'connecting' | 'sending' | 'sent' | 'settled';

/** One request to one backend, from the wish for a connection to the head of the answer. */
export class Attempt implements BodyProgress {
  readonly outcome: Promise<Outcome>;
  /** Resolves when the backend's connection is not needed any more. */
  readonly freed: Promise<void>;
  readonly #exchange: Exchange;
  readonly #parts: AttemptParts;
  readonly #alarm: Alarm;
  #phase: Phase = 'waiting';
  #out: BackendRequest | null = null;
  #dialing: Dialing | null = null;
  #pace: Pace | null = null;
  #hasHeard = false;
  /** How many 1xx have come. */
  #information = 0;
  /** `performance.now()`, ms; null where it was not on a connection that had served others. */
  #onReusedSince: number | null = null;
  #settle: (outcome: Outcome) => void = () => {};
  #free: () => void = () => {};

  constructor(exchange: Exchange, parts: AttemptParts) {
    this.#exchange = exchange;
    this.#parts = parts;
    this.#alarm = new Alarm(() => this.#onAlarm());
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.freed = new Promise((resolve) => {
      this.#free = resolve;
    });
    exchange.onInterrupt = () => this.#end({ type: 'abandoned' });
  }

  /** Whether the connection was an old one and failed before a byte came back: the backend had just closed it. */
  get wasStale(): boolean {
    if (this.#hasHeard || !this.#exchange.body.isReplayable) return false;
    if (this.#out?.wasRefused === true) return true;
    const since = this.#onReusedSince;
    return since !== null && mayResend(this.#exchange.request.method ?? '', performance.now() - since);
  }

  /** Takes the request over; http-proxy calls this in the place of piping a body into it. */
  start(out: BackendRequest): void {
    this.#out = out;
    this.#parts.clock.set(this.#alarm, this.#parts.limits.connectMs);
    out.once('socket', (socket: Wire) => this.#onSocket(socket));
    out.on('information', (information: InformationEvent) => this.#onInformation(information));
    out.once('response', (answer: BackendAnswer) => this.#onAnswer(answer));
    out.once('upgrade', (answer: SwitchingAnswer, socket: Duplex, head: Buffer) =>
      this.#onUpgrade(answer, socket, head),
    );
    // Node closes the request without an error when a 101 comes that nobody asked for.
    out.once('close', () => {
      this.#free();
      this.fail(new Error('the backend closed the connection'));
    });
    // Without a body there is nothing to hold back: Node sends the head as soon as there is a connection.
    if (!this.#hasBody) out.end();
  }

  /** The request failed. Idempotent: what comes after the first answer or error says nothing new. */
  fail(cause: NodeJS.ErrnoException): void {
    if (cause instanceof Unfit) return this.#end({ type: 'unfit', cause });
    switch (this.#phase) {
      case 'waiting':
      case 'connecting':
        return this.#end(notConnected(cause));
      case 'sending':
      case 'sent':
        return this.#end({ type: failureOf(cause), cause });
      case 'settled':
        return;
    }
  }

  /** A connection is being made for it. */
  onDialing(dialing: Dialing): void {
    if (this.#phase === 'settled') return dialing.cancel();
    this.#dialing = dialing;
    this.#connecting();
  }

  onBytes(total: number): void {
    const { limits, clock } = this.#parts;
    if (limits.bodyBytes > 0 && total > limits.bodyBytes) {
      this.#exchange.interrupt(new RouterError('body-too-large', `a body of more than ${limits.bodyBytes} bytes`));
      return;
    }
    if (this.#phase !== 'sending') return;
    clock.set(this.#alarm, limits.bodyMs);
    if (this.#pace?.isTooSlow(total, performance.now())) this.#giveUpOnBody('the request body came too slowly');
  }

  onBlocked(): void {
    // Now it is the backend that keeps everybody waiting.
    if (this.#phase !== 'sending') return;
    this.#parts.clock.set(this.#alarm, this.#parts.limits.firstByteMs);
    this.#pace?.blocked(performance.now());
  }

  onSent(): void {
    if (this.#phase !== 'sending') return;
    this.#phase = 'sent';
    this.#parts.clock.set(this.#alarm, this.#parts.limits.firstByteMs);
  }

  get #hasBody(): boolean {
    return this.#exchange.head?.framing.kind !== 'none';
  }

  #onSocket(socket: Wire): void {
    if (this.#phase === 'settled') return;
    if (socket.connecting) {
      this.#connecting();
      socket.once('ready', () => this.#onConnected());
      return;
    }
    if (this.#phase === 'waiting') this.#parts.use.reused++;
    this.#phase = 'connecting';
    this.#onConnected();
  }

  #connecting(): void {
    this.#phase = 'connecting';
    this.#parts.use.opened++;
    // A request that waited for its turn starts its wait for a connection here.
    this.#parts.clock.set(this.#alarm, this.#parts.limits.connectMs);
  }

  #onConnected(): void {
    if (this.#phase !== 'connecting' || this.#out === null) return;
    this.#phase = 'sending';
    if (this.#out.reusedSocket) this.#onReusedSince = performance.now();
    if (!this.#hasBody) return this.onSent();
    const { clock, limits } = this.#parts;
    clock.set(this.#alarm, limits.bodyMs);
    this.#pace = new Pace(limits.bodyMinRate, performance.now());
    const out = this.#out;
    this.#exchange.body.feed(out, this);
    // The backend hears of the request at once, even when the body takes its time (or waits for a 100).
    setImmediate(() => {
      if (!out.destroyed && !out.writableEnded && this.#exchange.body.bytes === 0) out.flushHeaders();
    });
  }

  #onInformation(information: InformationEvent): void {
    if (this.#phase === 'settled') return;
    this.#hasHeard = true;
    this.#information++;
    if (this.#information > MOST_INFORMATION) {
      this.#end({ type: 'garbled', cause: new Error('too many answers with status 1xx') });
      return;
    }
    this.#parts.clock.set(this.#alarm, this.#parts.limits.firstByteMs);
    relayInformation(this.#exchange, information);
  }

  #onAnswer(answer: BackendAnswer): void {
    if (this.#phase === 'settled') {
      answer.resume();
      return;
    }
    const out = this.#out;
    if (out === null) return;
    this.#hasHeard = true;
    const relay = relayAnswer(this.#exchange, out, answer, this.#parts);
    if (relay !== null) {
      this.#end({ type: 'garbled', cause: new Error(relay) });
      return;
    }
    this.#pass({ type: 'answered', status: answer.statusCode ?? 0, retryAfter: 'retry-after' in answer.headers });
  }

  #onUpgrade(answer: SwitchingAnswer, socket: Duplex, head: Buffer): void {
    const relay =
      this.#phase === 'settled' ? 'too late' : relayUpgrade(this.#exchange, answer, socket, head, this.#parts);
    if (relay !== null) {
      socket.destroy();
      this.#end({ type: 'garbled', cause: new Error(relay) });
      return;
    }
    this.#pass({ type: 'upgraded' });
  }

  #onAlarm(): void {
    switch (this.#phase) {
      case 'waiting':
        return this.#end({ type: 'crowded', cause: new Error('no connection was free in time') });
      case 'connecting':
        return this.#end({ type: 'unreachable', cause: new Error('connecting timed out') });
      case 'sending':
        if (this.#exchange.request.isPaused()) break;
        return this.#giveUpOnBody('the request body stopped coming');
      case 'sent':
        break;
      case 'settled':
        return;
    }
    this.#end({ type: 'silent', cause: new Error('the backend did not answer in time') });
  }

  #giveUpOnBody(why: string): void {
    this.#exchange.interrupt(new RouterError('request-timeout', why));
  }

  /** An answer is on its way to the client: whoever relays it owns the connection from here. */
  #pass(outcome: Outcome): void {
    this.#phase = 'settled';
    this.#parts.clock.clear(this.#alarm);
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

/** What it means that a request failed of which the backend may have seen something. */
function failureOf(cause: NodeJS.ErrnoException): 'garbled' | 'dropped' | 'broken' {
  if (cause instanceof NotHttp || cause.code?.startsWith('HPE_')) return 'garbled';
  return cause instanceof Dropped ? 'dropped' : 'broken';
}
