/**
 * One plain request, from its head to the end of its answer. This is the straight way only: as soon as anything is
 * otherwise, and as long as nothing was answered, the full lane goes on with it, and judges what was tried.
 */
import { isDialled, isHttp2 } from '../core/routing/backend.ts';
import { clientKey } from '../core/limits/client-key.ts';
import type { CutReason } from '../core/record/cut-reason.ts';
import { RouterError } from '../core/errors.ts';
import { spokenVersion } from '../core/http/forwarded.ts';
import { candidates, hostOf, PING_HOST } from '../core/routing/hostname.ts';
import { type Hold, SLOW_BYTES, type Place } from '../backends/slots/connection-slots.ts';
import { stoppedComing } from '../core/record/response-cut.ts';
import { isIdempotent, lossOnReused, mayResend, UNSAFE_IDLE_MS } from '../core/health/retry.ts';
import { choose } from '../core/routing/selection.ts';
import { NO_SITE } from '../core/routing/site.ts';
import type { Ending } from '../core/record/spans.ts';
import type { Backend, Outcome, Route } from '../core/routing/types.ts';
import { notConnected } from '../core/health/verdict.ts';
import { sentBy } from '../backends/dialing/backend-socket.ts';
import type { BackendState } from '../backends/state/backend-state.ts';
import { Account } from './account.ts';
import { AnswerRelay } from './response-relay.ts';
import type { BackendConnection, BackendUser } from '../backends/http1/backend-connection.ts';
import { pathFor, withTarget } from './backend-target.ts';
import type { TurnWaiter } from './next-turn.ts';
import type { EarlyBackend, Occupant, OccupiedClient } from './connection-owner.ts';
import type { ReadRequest } from './request-grammar.ts';
import type { LaneShared } from './shared.ts';
import { Upload } from './upload.ts';

/** How long a body's first part may take before the request is the full lane's, which bounds slow uploads, ms. */
const GATHER_MS = 100;
/** Stale connections met in a row before the backend is taken at its word. */
const STALE_LIMIT = 3;
const NOBODY: ReadonlySet<number> = new Set();

/**
 * Where it stands. `gathering`: its body; `waiting`: for one of the backend's places; `checking`: whether an idle
 * connection was closed.
 */
type Phase =
  | 'over'
  | 'looking'
  | 'gathering'
  | 'waiting'
  | 'checking'
  | 'connecting'
  | 'sending'
  | 'sent'
  | 'answering';

/** One for each client's connection, used for one request after the other. */
export class Passage implements Occupant, BackendUser, TurnWaiter {
  readonly #client: OccupiedClient;
  readonly #shared: LaneShared;
  readonly #relay: AnswerRelay;
  readonly #upload: Upload;
  readonly #account = new Account();
  #phase: Phase = 'over';
  /** Tells a late answer of the store from one to this request. */
  #serial = 0;
  /** The backend's. */
  #state: BackendState | null = null;
  #place: Place | null = null;
  /** How many requests the backend had responded to when this one was sent. */
  #responsesBefore = 0;
  /** Set when the place has waited for the client. */
  #hold: Hold | null = null;
  /** Bytes of the request's body when the client was last taken to be fast. */
  #fastBytes = 0;
  #leaveQueue: (() => void) | null = null;
  #connection: BackendConnection | null = null;
  #stale = 0;
  /** When the request was begun to be sent. */
  #sentAt = 0;
  /** What had left by that connection before: see `sentBy`. */
  #sentBefore = 0;

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
    const { isBlocked } = this.#client.output;
    const { deadlines, parts } = this.#shared;
    const { readMs, responseMs } = parts.limits;
    this.#client.due = deadlines.after(isBlocked ? readMs : responseMs);
    const hold = this.#hold;
    if (hold !== null && hold.since !== Infinity) hold.since = isBlocked ? parts.now() : Infinity;
    if (!isBlocked) this.#connection?.socket?.resume();
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
        return this.#client.output.isBlocked ? this.#cutFor('slow-reader') : this.#breakOff(stoppedComing());
      case 'looking':
      case 'checking':
      case 'over':
        return;
    }
    const hasAnsweredOthers = this.#place !== null && this.#place.backend.responseCount !== this.#responsesBefore;
    this.#fail({ type: 'silent', cause: new Error('the backend did not answer in time'), hasAnsweredOthers });
  }

  onConnected(): void {
    if (this.#phase === 'connecting') this.#send();
  }

  onBackendBytes(bytes: Buffer): void {
    const relay = this.#relay;
    const wasBlocked = this.#client.output.isBlocked;
    const progress = relay.onBytes(bytes);
    if (progress === 'faulty') {
      if (relay.answer !== null) this.#breakOff(new Error(relay.fault));
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
      this.#place?.backend.responded(relay.answer?.status ?? 0, parts.now() - this.#sentAt);
      if (this.#hold !== null) this.#hold.since = Infinity;
      this.#judge();
    }
    if (progress !== 'body') return this.#finish(progress === 'whole');
    const client = this.#client;
    if (!client.output.isBlocked) {
      client.due = deadlines.after(parts.limits.responseMs);
      return;
    }
    // From now on it is the client's silence that counts, whatever the backend still sends.
    if (!wasBlocked) client.due = deadlines.after(parts.limits.readMs);
    if (!client.output.isFull) return;
    this.#connection?.socket?.pause();
    this.#holdUp();
  }

  onBackendDrained(): void {
    const isSending = this.#phase === 'sending';
    this.#upload.drained(isSending);
    if (isSending) this.#holdUp();
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
        return this.#mayResend ? this.#resend() : this.#fail({ type: this.#lossType, cause });
      case 'answering':
        return this.#breakOff(cause);
      case 'looking':
      case 'gathering':
      case 'waiting':
      case 'checking':
      case 'over':
        return;
    }
  }

  /** A connection that was closed has been found out: it ended, or brought bytes, while it was still idle. */
  onTurn(): void {
    const connection = this.#connection;
    if (this.#phase !== 'checking' || connection === null) return;
    if (connection.isOpen) {
      connection.user = this;
      return this.#sendAgain(connection);
    }
    this.#shared.pool.forget(connection);
    this.#connect();
  }

  #ask(hostname: string, path: string): void {
    const serial = this.#serial;
    this.#client.due = Infinity;
    const isMine = (): boolean => this.#serial === serial && this.#phase === 'looking';
    this.#shared.parts.store.find(candidates(hostname), path).then(
      (route) => {
        if (isMine()) this.#onRoute(route);
      },
      (fault: unknown) => {
        if (!isMine()) return;
        this.#account.lookupFault = fault;
        this.#lend(null, null);
      },
    );
  }

  #onRoute(route: Route | null): void {
    this.#account.isLookedUp = true;
    this.#account.route = route;
    if (route === null) return this.#lend(null, null);
    if (route.site !== NO_SITE && !this.#mayServe(route)) return this.#lend(null, null);
    if (this.#upload.isReady) return this.#choose();
    this.#phase = 'gathering';
    this.#client.due = this.#shared.deadlines.after(GATHER_MS);
  }

  /** Whether the site asks nothing of this request, or its response, that only the full lane does. */
  #mayServe({ site }: Route): boolean {
    const { request } = this.#account;
    if (request === null) return false;
    // A forwarded field may say that the client reached another proxy over TLS.
    const scheme = request.fields === null ? 'unknown' : this.#client.writer.peer.isTls ? 'https' : 'http';
    return site.mayServeFast(request.host, scheme, request.target);
  }

  #choose(): void {
    const account = this.#account;
    const { request, route } = account;
    if (request === null || route === null) return;
    const { parts, deadlines } = this.#shared;
    const head = this.#client.writer.write(request);
    account.head = head;
    const key = clientKey(head.clientIp);
    this.#client.output.clientKey = key;
    this.#relay.answerFields = head.answerFields;
    const { method, target } = request;
    const hasBody = request.framing === 'chunked' || request.length > 0;
    let backend: Backend | null;
    try {
      backend = choose(route, NOBODY, parts, { method, path: target, clientIp: head.clientIp, hasBody });
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
    const state = parts.backends.of(backend);
    this.#state = state;
    const place = parts.places.enter(state.slots, key, account.triedAt);
    if (place !== null) return this.#enter(place);
    this.#phase = 'waiting';
    this.#client.due = deadlines.after(parts.limits.connectMs);
    this.#leaveQueue = parts.places.wait(state.slots, key, account.triedAt, (turn) => this.#enter(turn));
  }

  #enter(place: Place): void {
    this.#leaveQueue = null;
    this.#place = place;
    this.#connect();
  }

  #connect(): void {
    const { backend, request } = this.#account;
    const state = this.#state;
    if (backend === null || state === null || request === null) return;
    const { pool, parts, deadlines, nextTurn } = this.#shared;
    const isSafe = isIdempotent(request.method);
    this.#connection = pool.take(state, isSafe ? this : null, isSafe ? Infinity : UNSAFE_IDLE_MS);
    if (this.#connection !== null) {
      if (isSafe) return this.#sendAgain(this.#connection);
      this.#phase = 'checking';
      this.#client.due = Infinity;
      return nextTurn.wait(this);
    }
    this.#phase = 'connecting';
    this.#client.due = deadlines.after(parts.limits.connectMs);
    this.#connection = pool.open(backend, state, this);
  }

  /** Sends by a connection that has served others. */
  #sendAgain({ socket }: BackendConnection): void {
    if (socket !== null) this.#sentBefore = sentBy(socket);
    this.#send();
  }

  #send(): void {
    const { head } = this.#account;
    const socket = this.#connection?.socket ?? null;
    if (socket === null || head === null) return;
    this.#phase = this.#upload.isWhole ? 'sent' : 'sending';
    this.#responsesBefore = this.#place?.backend.responseCount ?? 0;
    this.#sentAt = this.#shared.parts.now();
    this.#upload.begin(socket, head.text);
    if (this.#phase === 'sending') this.#holdUp();
  }

  /** From now on the backend's place waits for the client. */
  #holdUp(): void {
    this.#hold ??= this.#place?.hold(this.#giveUp) ?? null;
    this.#fastBytes = this.#client.bodyBytes;
    if (this.#hold !== null) this.#hold.since = this.#shared.parts.now();
  }

  /** Others need the place. */
  readonly #giveUp = (): void => {
    if (this.#phase === 'answering') this.#cutFor('slot-needed');
    else if (this.#phase === 'sending') this.#interrupt(stalled('the request body held a slot that others needed'));
  };

  #cutFor(reason: CutReason): void {
    const { head, route } = this.#account;
    this.#shared.parts.onCut(reason, head?.clientIp ?? '', route?.frontend ?? null);
    this.#cut();
  }

  #passBody(bytes: Buffer | null): void {
    const isSending = this.#phase === 'sending';
    const isInTime = this.#upload.pass(this.#connection?.socket ?? null, bytes, isSending);
    if (!isInTime) return this.#interrupt(stalled('the request body came too slowly'));
    if (!isSending) return;
    if (this.#upload.isWhole) this.#phase = 'sent';
    const hold = this.#hold;
    if (hold === null) return;
    if (this.#upload.isWhole || this.#upload.isBlocked) hold.since = Infinity;
    else if (this.#client.bodyBytes - this.#fastBytes >= SLOW_BYTES) this.#holdUp();
  }

  /** Whether the request may go by another connection, after one that had served others failed before a byte came back. */
  get #mayResend(): boolean {
    const connection = this.#connection;
    if (connection === null || !connection.isReused || this.#relay.hasHeard || this.#upload.isLost) return false;
    if (this.#stale >= STALE_LIMIT) return false;
    const isUnsent = connection.socket !== null && sentBy(connection.socket) === this.#sentBefore;
    return mayResend(this.#account.request?.method ?? '', isUnsent);
  }

  /** What it is that a connection failed with a request that is not sent again. */
  get #lossType(): 'broken' | 'dropped' {
    if (this.#connection?.isReused !== true || this.#relay.hasHeard) return 'broken';
    if (isIdempotent(this.#account.request?.method ?? '')) return 'broken';
    return lossOnReused(this.#shared.parts.now() - this.#sentAt);
  }

  #resend(): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#stale++;
    if (this.#hold !== null) this.#hold.since = Infinity;
    connection.destroy();
    this.#shared.pool.forget(connection);
    this.#upload.wait();
    this.#connect();
  }

  #judge(): void {
    const { answer } = this.#relay;
    const { parts } = this.#shared;
    // From 500 on it can be the end of a backend (see core/verdict.ts); any other only tells of one that was dead.
    if (answer === null || (answer.status < 500 && this.#state?.isDead !== true)) return;
    const { route, backend, triedAt } = this.#account;
    if (route === null || backend === null) return;
    const { status, hasRetryAfter: retryAfter } = answer;
    const outcome = { type: 'answered', status, retryAfter } as const;
    parts.judge({ found: route, backend, outcome, begunAt: triedAt, hasBlamed: false });
  }

  /** The answer is whole. @param isClean nothing came after it */
  #finish(isClean: boolean): void {
    const { pool, parts } = this.#shared;
    const connection = this.#connection;
    this.#connection = null;
    const keepMs = this.#relay.answer?.keepMs ?? 0;
    const { bodyBytes: answerBytes } = this.#relay;
    const isKept = isClean && parts.isKeeping && this.#relay.isKept;
    let early: EarlyBackend | null = null;
    if (!this.#upload.isWhole && isClean && connection !== null) {
      early = { connection, place: this.#place, keepMs: isKept ? keepMs : null, answerBytes };
      this.#place = null;
    } else if (isKept && this.#upload.isWhole && connection !== null) {
      pool.release(connection, answerBytes, keepMs);
    } else {
      connection?.destroy();
    }
    this.#drop();
    this.#tell('whole');
    this.#client.passed(this.#relay.isLast, early);
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
    const prior = this.#account.prior(request, outcome, interruption, isBodyLost, this.#shared.parts.now());
    this.#drop();
    this.#client.lend(request, prior, held);
  }

  /** The backend has broken its answer off. */
  #breakOff(why: Error): void {
    const { head, route, backend } = this.#account;
    const { onResponseCut } = this.#shared.parts;
    onResponseCut({ client: head?.clientIp ?? '', host: route?.frontend ?? null, backend, why });
    this.#cut();
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
    this.#hold?.end();
    this.#hold = null;
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

/** @param limit bytes; 0 is none */
function isOver(bytes: number, limit: number): boolean {
  return limit > 0 && bytes > limit;
}

function stalled(why: string): RouterError {
  return new RouterError('request-timeout', why);
}
