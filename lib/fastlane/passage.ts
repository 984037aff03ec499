/**
 * One plain request, from its head to the end of its answer. This is the straight way only: as soon as anything is
 * otherwise, and as long as nothing was answered, the full lane goes on with it, and judges what was tried.
 */
import { isDialled, isHttp2, pathAt, serverOf } from '../core/backend.ts';
import { RouterError } from '../core/errors.ts';
import { spokenVersion } from '../core/forwarded.ts';
import { candidates, hostOf, PING_HOST } from '../core/hostname.ts';
import { NO_OPTIONS } from '../core/options.ts';
import { rewritePath } from '../core/path-rewrite.ts';
import type { Place } from '../core/places.ts';
import { staysForSure } from '../core/redirect.ts';
import { mayResend } from '../core/retry.ts';
import { choose } from '../core/selection.ts';
import type { Ending } from '../core/spans.ts';
import type { Backend, Outcome, Route } from '../core/types.ts';
import { notConnected } from '../core/verdict.ts';
import { Account } from './account.ts';
import { AnswerRelay } from './answer-relay.ts';
import type { BackendConnection, BackendUser } from './backend-connection.ts';
import type { WrittenHead } from './head-writer.ts';
import type { Occupant, OccupiedClient } from './occupant.ts';
import type { ReadRequest } from './request-grammar.ts';
import type { LaneShared } from './shared.ts';
import { Upload } from './upload.ts';

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
  readonly #upload: Upload;
  readonly #account = new Account();
  #phase: Phase = 'over';
  /** Tells a late answer of the store from one to this request. */
  #serial = 0;
  /** The backend's, as `serverOf` says. */
  #server = '';
  #place: Place | null = null;
  #leaveQueue: (() => void) | null = null;
  #connection: BackendConnection | null = null;
  #stale = 0;
  /** When the request was begun to be sent on a connection that had served others. */
  #onReusedSince = 0;

  constructor(client: OccupiedClient, shared: LaneShared) {
    this.#client = client;
    this.#shared = shared;
    this.#upload = new Upload(client, shared);
    this.#relay = new AnswerRelay(client, shared);
  }

  /** Takes a request over. Its body comes by `onBody`. */
  start(request: ReadRequest): void {
    const { parts } = this.#shared;
    this.#account.begin(request, parts.now());
    this.#upload.start(request);
    this.#relay.start(request.method === 'HEAD', request.isLast);
    this.#stale = 0;
    parts.budget.requestStarted();
    this.#serial++;
    this.#phase = 'looking';

    const hostname = hostOf(request.host);
    const { bodyBytes } = parts.limits;
    if (!request.isPlain || hostname === null || hostname === PING_HOST || isOver(request.length, bodyBytes)) {
      this.#lend(null, null);
      return;
    }
    const route = parts.store.peek(hostname, request.target);
    if (route === undefined) this.#ask(hostname, request.target);
    else this.#onRoute(route);
  }

  onBody(bytes: Buffer | null, isWhole: boolean): void {
    const isSent = this.#phase === 'sending' || this.#phase === 'answering';
    const upload = this.#upload;
    upload.take(bytes, isWhole, isSent);
    const { bodyBytes: limit } = this.#shared.parts.limits;
    if (isOver(this.#client.bodyBytes, limit)) {
      if (this.#account.backend === null) this.#lend(null, null);
      else this.#interrupt(new RouterError('body-too-large', `a body of more than ${limit} bytes`));
    } else if (isSent) {
      this.#passBody(bytes);
    } else if (!upload.isReady) {
      return;
    } else if (this.#phase === 'gathering') {
      this.#choose();
    } else {
      upload.wait();
    }
  }

  onBadBody(): void {
    this.#interrupt(new RouterError('bad-request', 'the request body is not framed as its head says'));
  }

  onClientDrained(): void {
    if (this.#phase !== 'answering') return;
    this.#client.due = this.#shared.deadlines.after(this.#shared.parts.limits.responseMs);
    this.#connection?.socket?.resume();
  }

  onClientGone(): void {
    this.#drop();
    this.#tell('left');
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
        if (!this.#upload.isBlocked) return this.#interrupt(stalled('the request body stopped coming'));
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
    if (relay.isBlocked) this.#connection?.socket?.pause();
  }

  onBackendDrained(): void {
    this.#upload.drained(this.#phase === 'sending');
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

  #ask(hostname: string, path: string): void {
    const serial = this.#serial;
    this.#client.due = Infinity;
    const isMine = (): boolean => this.#serial === serial && this.#phase === 'looking';
    this.#shared.parts.store.find(candidates(hostname), path).then(
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
    this.#account.route = route;
    if (route.options !== NO_OPTIONS && !this.#isStraight(route)) return this.#lend(null, null);
    if (this.#upload.isReady) return this.#choose();
    this.#phase = 'gathering';
    this.#client.due = this.#shared.deadlines.after(GATHER_MS);
  }

  /** Whether the route's options want nothing of this request, or its answer, but another path. */
  #isStraight({ options }: Route): boolean {
    const { request } = this.#account;
    if (request === null || options.state !== 'live' || options.mapBack) return false;
    // Who brings forwarded fields may have come to another door by TLS.
    const isTls = this.#client.writer.peer.isTls && request.fields !== null;
    const mayBeTls = isTls || request.fields === null;
    return (options.hsts === null || !mayBeTls) && staysForSure(options, request.host, isTls);
  }

  #choose(): void {
    const account = this.#account;
    const { request, route } = account;
    if (request === null || route === null) return;
    const { parts, deadlines } = this.#shared;
    const head = this.#client.writer.write(request);
    account.head = head;
    this.#relay.answerFields = head.answerFields;
    const { method, target } = request;
    const hasBody = request.framing === 'chunked' || request.length > 0;
    let backend: Backend | null;
    try {
      backend = choose(
        route,
        NOBODY,
        parts.select,
        { method, path: target, clientIp: head.clientIp, hasBody },
        parts.random,
      );
    } catch {
      backend = null;
    }
    // HTTP/2 is the full lane's to speak, and what the router answers itself its to say.
    if (backend === null || isHttp2(backend) || !isDialled(backend)) return this.#lend(null, null);
    this.#upload.wait();
    account.backend = backend;
    const path = pathFor(route, backend, target, parts.hasBackendPath);
    if (path !== target) account.head = withTarget(head, request, path);
    account.triedAt = parts.now();
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
    const { backend } = this.#account;
    if (backend === null) return;
    const { pool, parts, deadlines } = this.#shared;
    this.#connection = pool.take(this.#server, this);
    if (this.#connection !== null) {
      this.#onReusedSince = parts.now();
      return this.#send();
    }
    this.#phase = 'connecting';
    this.#client.due = deadlines.after(parts.limits.connectMs);
    this.#connection = pool.open(backend, this);
  }

  #send(): void {
    const { head } = this.#account;
    const socket = this.#connection?.socket ?? null;
    if (socket === null || head === null) return;
    this.#phase = this.#upload.isWhole ? 'sent' : 'sending';
    this.#upload.begin(socket, head.text);
  }

  #passBody(bytes: Buffer | null): void {
    const isSending = this.#phase === 'sending';
    const isInTime = this.#upload.pass(this.#connection?.socket ?? null, bytes, isSending);
    if (!isInTime) this.#interrupt(stalled('the request body came too slowly'));
    else if (isSending && this.#upload.isWhole) this.#phase = 'sent';
  }

  /** The connection was an old one, and failed before a byte came back: the backend had just closed it. */
  get #isStale(): boolean {
    const isOld = this.#connection?.isReused ?? false;
    if (!isOld || this.#relay.hasHeard || this.#upload.isLost || this.#stale >= STALE_LIMIT) return false;
    return mayResend(this.#account.request?.method ?? '', this.#shared.parts.now() - this.#onReusedSince);
  }

  #resend(): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#stale++;
    connection.destroy();
    this.#shared.pool.forget(connection.server);
    this.#upload.wait();
    this.#connect();
  }

  #judge(): void {
    const { answer } = this.#relay;
    const { parts } = this.#shared;
    // From 500 on it can be the end of a backend (see core/verdict.ts); any other only tells of one that was dead.
    if (answer === null || (answer.status < 500 && parts.recoveries.waiting === 0)) return;
    const { route, backend, triedAt } = this.#account;
    if (route === null || backend === null) return;
    const { status, hasRetryAfter: retryAfter } = answer;
    parts.judge(route, backend, { type: 'answered', status, retryAfter }, triedAt);
  }

  /** The answer is whole. @param isClean nothing came after it */
  #finish(isClean: boolean): void {
    const { pool, parts } = this.#shared;
    const connection = this.#connection;
    this.#connection = null;
    const { answer } = this.#relay;
    const isKept = isClean && this.#upload.isWhole && parts.isKeeping && answer?.isKept === true;
    if (isKept && connection !== null) pool.release(connection, this.#relay.bodyBytes, answer.keepMs);
    else connection?.destroy();
    this.#drop();
    this.#tell('whole');
    this.#client.passed(this.#relay.isLast);
  }

  /** An attempt has failed before there was an answer. */
  #fail(outcome: Outcome): void {
    this.#lend(outcome, null);
  }

  /** The client's side has broken off. */
  #interrupt(reason: RouterError): void {
    if (this.#phase === 'answering') this.#cut();
    else this.#lend(this.#account.backend === null ? null : { type: 'abandoned' }, reason);
  }

  #lend(outcome: Outcome | null, interruption: RouterError | null): void {
    const { request } = this.#account;
    if (request === null) return;
    const isBodyLost = this.#upload.isLost || interruption !== null;
    const held = isBodyLost ? [] : this.#upload.held;
    const prior = this.#account.prior(outcome, interruption, isBodyLost, this.#shared.parts.now());
    this.#drop();
    this.#client.lend(request, prior, held);
  }

  /** What the client got must not look complete. */
  #cut(): void {
    this.#drop();
    this.#tell('cut');
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
    this.#upload.end();
    this.#shared.parts.budget.requestEnded();
    // Last: whoever waits for the place gets it at once.
    place?.leave();
  }

  /** Tells of an exchange that ends here whoever wants to know. */
  #tell(ending: Ending): void {
    const { record, trace, now } = this.#shared.parts;
    const account = this.#account;
    const { request } = account;
    if (request === null || (record === null && trace === null)) return;
    const endedAt = now();
    const { writer } = this.#client;
    if (record !== null) {
      record(account.passed(request, writer, this.#relay, endedAt), spokenVersion(writer.peer, '1.1'));
    }
    if (trace === null) return;
    const traced = account.traced(request, writer, this.#relay, ending, endedAt);
    if (traced !== null) trace(traced);
  }
}

/** What the backend is asked for. */
function pathFor({ options: { rewrite }, prefix }: Route, backend: Backend, target: string, isBelow: boolean): string {
  const path = rewrite === null ? target : rewritePath(rewrite, prefix, target);
  return isBelow ? pathAt(backend, path) : path;
}

function withTarget(head: WrittenHead, { method, target }: ReadRequest, path: string): WrittenHead {
  return { ...head, text: `${method} ${path}${head.text.slice(method.length + 1 + target.length)}` };
}

/** @param limit bytes; 0 is none */
function isOver(bytes: number, limit: number): boolean {
  return limit > 0 && bytes > limit;
}

function stalled(why: string): RouterError {
  return new RouterError('request-timeout', why);
}
