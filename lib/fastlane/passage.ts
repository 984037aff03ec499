/**
 * One plain request, from its head to the end of its answer. This is the straight way only: as soon as anything is
 * otherwise, and as long as nothing was answered, the full lane goes on with it, and judges what was tried.
 */
import { serverOf } from '../core/backend.ts';
import { RouterError } from '../core/errors.ts';
import { candidates, hostOf, PING_HOST } from '../core/hostname.ts';
import { Pace } from '../core/pace.ts';
import type { Place } from '../core/places.ts';
import { choose } from '../core/selection.ts';
import type { Ending, TracedAttempt } from '../core/spans.ts';
import type { Backend, Outcome, Route } from '../core/types.ts';
import { notConnected } from '../core/verdict.ts';
import { AnswerRelay } from './answer-relay.ts';
import type { BackendConnection, BackendUser } from './backend-connection.ts';
import type { WrittenHead } from './head-writer.ts';
import { HeldBody } from './held-body.ts';
import type { Occupant, OccupiedClient } from './occupant.ts';
import type { ReadRequest } from './request-grammar.ts';
import { send, sendRequest } from './send.ts';
import type { LaneShared } from './shared.ts';

/** How long a body's first part may take before the request is the full lane's, which bounds slow uploads, ms. */
const GATHER_MS = 100;
/** Stale connections met in a row before the backend is taken at its word. */
const STALE_LIMIT = 3;
const NOBODY: ReadonlySet<number> = new Set();

/** Where it stands. `gathering`: its body; `waiting`: for one of the backend's places. */
type Phase = 'over' | 'looking' | 'gathering' | 'waiting' | 'connecting' | 'sending' | 'sent' | 'answering';

/** One for each client's connection, used for one request after the other. */
export class Passage implements Occupant, BackendUser {
  readonly #client: OccupiedClient;
  readonly #shared: LaneShared;
  readonly #relay: AnswerRelay;
  readonly #held = new HeldBody();
  #phase: Phase = 'over';
  /** Tells a late answer of the store from one to this request. */
  #serial = 0;
  #request: ReadRequest | null = null;
  #head: WrittenHead | null = null;
  #route: Route | null = null;
  #backend: Backend | null = null;
  /** As `serverOf` says. */
  #server = '';
  #place: Place | null = null;
  #leaveQueue: (() => void) | null = null;
  #connection: BackendConnection | null = null;
  #pace: Pace | null = null;
  /** All of the request's body has come. */
  #isWhole = true;
  /** The backend takes no more of the body for now. */
  #isBlocked = false;
  #stale = 0;
  #startedAt = 0;
  #triedAt = 0;

  constructor(client: OccupiedClient, shared: LaneShared) {
    this.#client = client;
    this.#shared = shared;
    this.#relay = new AnswerRelay(client, shared);
  }

  /** Takes a request over. Its body comes by `onBody`. */
  start(request: ReadRequest): void {
    const { parts } = this.#shared;
    this.#request = request;
    this.#isWhole = request.framing === 'none' || (request.framing === 'length' && request.length === 0);
    this.#head = null;
    this.#route = null;
    this.#backend = null;
    this.#stale = 0;
    this.#triedAt = 0;
    this.#startedAt = parts.now();
    this.#isBlocked = false;
    this.#held.clear();
    this.#relay.start(request.method === 'HEAD', request.isLast);
    parts.budget.requestStarted();
    this.#serial++;
    this.#phase = 'looking';

    const hostname = hostOf(request.host);
    const { bodyBytes } = parts.limits;
    if (!request.isPlain || hostname === null || hostname === PING_HOST || isOver(request.length, bodyBytes)) {
      this.#lend(null, null);
      return;
    }
    const route = parts.store.peek(hostname);
    if (route === undefined) this.#ask(hostname);
    else this.#onRoute(route);
  }

  onBody(bytes: Buffer | null, isWhole: boolean): void {
    this.#isWhole = isWhole;
    const isSent = this.#phase === 'sending' || this.#phase === 'answering';
    if (bytes !== null) this.#held.add(bytes, isSent);
    const { bodyBytes: limit } = this.#shared.parts.limits;
    if (isOver(this.#client.bodyBytes, limit)) {
      if (this.#backend === null) this.#lend(null, null);
      else this.#interrupt(new RouterError('body-too-large', `a body of more than ${limit} bytes`));
    } else if (isSent) {
      this.#sendBody(bytes);
    } else if (this.#phase === 'gathering' && (isWhole || this.#held.isMuch)) {
      this.#choose();
    } else if (!isWhole && this.#held.isMuch) {
      this.#client.pause();
    }
  }

  onBadBody(): void {
    this.#interrupt(new RouterError('bad-request', 'the request body is not framed as its head says'));
  }

  onClientDrained(): void {
    if (this.#phase !== 'answering') return;
    this.#client.due = this.#shared.deadlines.after(this.#shared.parts.limits.responseMs);
    this.#connection?.socket.resume();
  }

  onClientGone(): void {
    this.#drop();
    this.#record();
    this.#trace('left');
  }

  ring(): void {
    switch (this.#phase) {
      case 'gathering':
        return this.#lend(null, null);
      case 'waiting':
        return this.#fail({ type: 'crowded', cause: new Error('no connection was free in time') });
      case 'connecting':
        return this.#fail({ type: 'unreachable', cause: new Error('connecting timed out') });
      case 'sending':
        if (!this.#isBlocked) return this.#interrupt(stalled('the request body stopped coming'));
        break;
      case 'sent':
        break;
      case 'answering':
        return this.#cut();
      case 'looking':
      case 'over':
        return;
    }
    this.#fail({ type: 'silent', cause: new Error('the backend did not answer in time') });
  }

  onConnected(): void {
    if (this.#phase === 'connecting') this.#send();
  }

  onBackendBytes(bytes: Buffer): void {
    const relay = this.#relay;
    const progress = relay.onBytes(bytes);
    if (progress === 'faulty') {
      if (relay.answer !== null) this.#cut();
      else this.#fail({ type: 'garbled', cause: new Error(relay.fault) });
      return;
    }
    const { deadlines, parts } = this.#shared;
    if (progress === 'head') {
      this.#client.due = deadlines.after(parts.limits.firstByteMs);
      return;
    }
    if (this.#phase !== 'answering') {
      this.#phase = 'answering';
      this.#judge();
    }
    if (progress !== 'body') return this.#finish(progress === 'whole');
    this.#client.due = deadlines.after(parts.limits.responseMs);
    if (relay.isBlocked) this.#connection?.socket.pause();
  }

  onBackendDrained(): void {
    if (this.#isWhole || !this.#isBlocked) return;
    this.#isBlocked = false;
    if (this.#phase === 'sending') this.#awaitBody();
    this.#client.resume();
  }

  onBackendEnd(): void {
    if (this.#phase === 'answering' && this.#relay.onEnd()) this.#finish(false);
    else this.onBackendGone(new Error('the backend closed the connection'));
  }

  onBackendGone(cause: Error): void {
    switch (this.#phase) {
      case 'connecting':
        return this.#fail(notConnected(cause));
      case 'sending':
      case 'sent':
        return this.#isStale ? this.#resend() : this.#fail({ type: 'broken', cause });
      case 'answering':
        return this.#cut();
      case 'looking':
      case 'gathering':
      case 'waiting':
      case 'over':
        return;
    }
  }

  #ask(hostname: string): void {
    const serial = this.#serial;
    this.#client.due = Infinity;
    const isMine = (): boolean => this.#serial === serial && this.#phase === 'looking';
    this.#shared.parts.store.find(candidates(hostname)).then(
      (route) => {
        if (isMine()) this.#onRoute(route);
      },
      () => {
        if (isMine()) this.#lend(null, null);
      },
    );
  }

  #onRoute(route: Route | null): void {
    if (route === null) return this.#lend(null, null);
    this.#route = route;
    if (this.#isWhole || this.#held.isMuch) return this.#choose();
    this.#phase = 'gathering';
    this.#client.due = this.#shared.deadlines.after(GATHER_MS);
  }

  #choose(): void {
    const request = this.#request;
    const route = this.#route;
    if (request === null || route === null) return;
    const { parts, deadlines } = this.#shared;
    this.#head = this.#client.writer.write(request);
    this.#relay.answerFields = this.#head.answerFields;
    const { method, target } = request;
    const hasBody = request.framing === 'chunked' || request.length > 0;
    let backend: Backend | null;
    try {
      backend = choose(
        route,
        NOBODY,
        parts.select,
        { method, path: target, clientIp: this.#head.clientIp, hasBody },
        parts.random,
      );
    } catch {
      backend = null;
    }
    if (backend === null) return this.#lend(null, null);
    if (!this.#isWhole) this.#client.pause();
    this.#backend = backend;
    this.#triedAt = parts.now();
    this.#server = serverOf(backend);
    const place = parts.places.enter(this.#server);
    if (place !== null) return this.#enter(place);
    this.#phase = 'waiting';
    this.#client.due = deadlines.after(parts.limits.connectMs);
    this.#leaveQueue = parts.places.wait(this.#server, (turn) => this.#enter(turn));
  }

  #enter(place: Place): void {
    this.#leaveQueue = null;
    this.#place = place;
    this.#connect();
  }

  #connect(): void {
    const backend = this.#backend;
    if (backend === null) return;
    const { pool, parts, deadlines } = this.#shared;
    this.#connection = pool.take(this.#server, this);
    if (this.#connection !== null) return this.#send();
    this.#phase = 'connecting';
    this.#client.due = deadlines.after(parts.limits.connectMs);
    this.#connection = pool.open(backend, this);
  }

  #send(): void {
    const { parts, deadlines } = this.#shared;
    if (this.#connection === null || this.#head === null) return;
    this.#isBlocked = !sendRequest(this.#connection.socket, this.#head.text, this.#held.parts);
    if (this.#isWhole) {
      this.#phase = 'sent';
      this.#client.due = deadlines.after(parts.limits.firstByteMs);
      return;
    }
    this.#phase = 'sending';
    this.#pace = new Pace(parts.limits.bodyMinRate, parts.now());
    this.#awaitBody();
    if (!this.#isBlocked) this.#client.resume();
  }

  #sendBody(bytes: Buffer | null): void {
    const { parts, deadlines } = this.#shared;
    const connection = this.#connection;
    const isFlowing = bytes === null || connection === null || send(connection.socket, bytes);
    if (this.#phase === 'sending') {
      if (this.#isWhole) {
        this.#phase = 'sent';
        this.#client.due = deadlines.after(parts.limits.firstByteMs);
        return;
      }
      if (this.#pace?.isTooSlow(this.#client.bodyBytes, parts.now())) {
        return this.#interrupt(stalled('the request body came too slowly'));
      }
    }
    if (this.#isWhole) return;
    if (!isFlowing) {
      this.#isBlocked = true;
      this.#client.pause();
    }
    if (this.#phase === 'sending') this.#awaitBody();
  }

  /** Sets the limit for the next part of the body: it is the client's to keep, or the backend's while that takes nothing. */
  #awaitBody(): void {
    const { parts, deadlines } = this.#shared;
    const { bodyMs, firstByteMs } = parts.limits;
    if (this.#isBlocked) this.#pace?.blocked(parts.now());
    this.#client.due = deadlines.after(this.#isBlocked ? firstByteMs : bodyMs);
  }

  /** The connection was an old one, and failed before a byte came back: the backend had just closed it. */
  get #isStale(): boolean {
    const isOld = this.#connection?.isReused ?? false;
    return isOld && !this.#relay.hasHeard && !this.#held.isLost && this.#stale < STALE_LIMIT;
  }

  #resend(): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#stale++;
    connection.destroy();
    this.#shared.pool.forget(connection.server);
    if (!this.#isWhole) this.#client.pause();
    this.#connect();
  }

  #judge(): void {
    const { answer } = this.#relay;
    const { parts } = this.#shared;
    // From 500 on it can be the end of a backend (see core/verdict.ts); any other only tells of one that was dead.
    if (answer === null || (answer.status < 500 && parts.recoveries.waiting === 0)) return;
    if (this.#route === null || this.#backend === null) return;
    const { status, hasRetryAfter: retryAfter } = answer;
    parts.judge(this.#route, this.#backend, { type: 'answered', status, retryAfter }, this.#triedAt);
  }

  /** The answer is whole. @param isClean nothing came after it */
  #finish(isClean: boolean): void {
    const { pool, parts } = this.#shared;
    const connection = this.#connection;
    this.#connection = null;
    const { answer } = this.#relay;
    const isKept = isClean && this.#isWhole && parts.isKeeping && answer?.isKept === true;
    if (isKept && connection !== null) pool.release(connection, this.#relay.bodyBytes, answer.keepMs);
    else connection?.destroy();
    this.#drop();
    this.#record();
    this.#trace('whole');
    this.#client.passed(this.#relay.isLast);
  }

  /** An attempt has failed before there was an answer. */
  #fail(outcome: Outcome): void {
    this.#lend(outcome, null);
  }

  /** The client's side has broken off. */
  #interrupt(reason: RouterError): void {
    if (this.#phase === 'answering') this.#cut();
    else this.#lend(this.#backend === null ? null : { type: 'abandoned' }, reason);
  }

  #lend(outcome: Outcome | null, interruption: RouterError | null): void {
    const request = this.#request;
    if (request === null) return;
    const backend = this.#backend;
    const startedAt = this.#triedAt;
    const tookMs = this.#shared.parts.now() - startedAt;
    const isBodyLost = this.#held.isLost || interruption !== null;
    const held = isBodyLost ? [] : this.#held.parts;
    this.#drop();
    const attempts = outcome === null || backend === null ? [] : [{ backend, outcome, startedAt, tookMs }];
    const triedAt = attempts.length === 0 ? null : startedAt;
    const trace = this.#head?.trace ?? null;
    this.#client.lend(
      request,
      { startedAt: this.#startedAt, triedAt, attempts, interruption, isBodyLost, trace },
      held,
    );
  }

  /** What the client got must not look complete. */
  #cut(): void {
    this.#drop();
    this.#record();
    this.#trace('cut');
    this.#client.cut();
  }

  /** Gives back all that it holds. */
  #drop(): void {
    this.#phase = 'over';
    this.#connection?.destroy();
    this.#connection = null;
    this.#leaveQueue?.();
    this.#leaveQueue = null;
    const place = this.#place;
    this.#place = null;
    this.#pace = null;
    this.#held.clear();
    this.#shared.parts.budget.requestEnded();
    // Last: whoever waits for the place gets it at once.
    place?.leave();
  }

  #record(): void {
    const { record, now } = this.#shared.parts;
    const request = this.#request;
    if (record === null || request === null) return;
    const { method, target, referer, userAgent } = request;
    const endedAt = now();
    record({
      clientIp: this.#head?.clientIp ?? this.#client.writer.peer.address,
      method,
      target,
      status: this.#relay.answer?.status ?? 0,
      bytes: this.#relay.bodyBytes,
      referer,
      userAgent,
      host: this.#route?.frontend ?? null,
      backend: this.#backend?.href ?? null,
      name: this.#route?.name ?? null,
      totalMs: endedAt - this.#startedAt,
      backendMs: this.#triedAt === 0 ? null : endedAt - this.#triedAt,
    });
  }

  /** Tells of an exchange that is part of a trace. */
  #trace(ending: Ending): void {
    const { trace: tell, now } = this.#shared.parts;
    const request = this.#request;
    if (tell === null || request === null) return;
    const { writer } = this.#client;
    // A client that left early has no head yet: what it would have been says which trace this is part of.
    const { trace, clientIp } = this.#head ?? writer.write(request);
    if (trace === null || !trace.isSampled) return;
    const { peer } = writer;
    const endedAt = now();
    tell({
      trace,
      method: request.method,
      target: request.target,
      version: '1.1',
      isTls: peer.isTls,
      authority: request.host,
      clientIp,
      peerAddress: peer.address,
      status: this.#relay.answer?.status ?? 0,
      route: this.#route,
      startedAt: this.#startedAt,
      endedAt,
      attempts: this.#attempted(endedAt),
      refusal: null,
      ending,
    });
  }

  #attempted(endedAt: number): readonly TracedAttempt[] {
    const backend = this.#backend;
    const startedAt = this.#triedAt;
    if (backend === null) return [];
    const { answer } = this.#relay;
    const outcome: Outcome =
      answer === null
        ? { type: 'abandoned' }
        : { type: 'answered', status: answer.status, retryAfter: answer.hasRetryAfter };
    return [{ backend, startedAt, tookMs: endedAt - startedAt, outcome }];
  }
}

/** @param limit bytes; 0 is none */
function isOver(bytes: number, limit: number): boolean {
  return limit > 0 && bytes > limit;
}

function stalled(why: string): RouterError {
  return new RouterError('request-timeout', why);
}
