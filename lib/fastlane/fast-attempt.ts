/**
 * One attempt to send a plain request to a backend: takes a connection slot and a connection, sends, and relays the
 * response.
 */
import type { CutReason } from '../core/record/cut-reason.ts';
import { RouterError } from '../core/errors.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import { stoppedComing } from '../core/record/response-cut.ts';
import { isIdempotent, lossOnReused } from '../core/health/retry.ts';
import type { Backend, Outcome } from '../core/routing/types.ts';
import { notConnected } from '../core/health/verdict.ts';
import type { BackendState } from '../backends/state/backend-state.ts';
import type { Account } from './account.ts';
import type { ResponseRelay } from './response-relay.ts';
import { BackendLink, type LinkUser } from './backend-link.ts';
import type { EarlyBackend, OwnedConnection } from './connection-owner.ts';
import type { LaneShared } from './shared.ts';
import { SlotUse, type SlotUser } from './slot-use.ts';
import type { Upload } from './upload.ts';

/**
 * What is awaited. `waiting`: a connection slot; `checking`: whether an idle connection was closed; `sent`: the head of
 * the response; `answering`: its body.
 */
type Phase = 'over' | 'waiting' | 'checking' | 'connecting' | 'sending' | 'sent' | 'answering';

/** The exchange that the attempt is made for. */
export interface AttemptOwner {
  /** The attempt has failed, and no response has begun. */
  onFailed(outcome: Outcome): void;
  /** The client has not sent its body in time. */
  onInterrupted(reason: RouterError): void;
  /** The client takes too little of the response. */
  onSlowReader(reason: CutReason): void;
  /** The backend has broken its response off. */
  onBrokenOff(why: Error): void;
  /** The response is whole. @param early takes the rest of the request's body; null where nothing does */
  onDone(early: EarlyBackend | null): void;
}

/** One for each client's connection, used for one request after the other. */
export class FastAttempt implements LinkUser, SlotUser {
  readonly #owner: AttemptOwner;
  readonly #client: OwnedConnection;
  readonly #shared: LaneShared;
  readonly #account: Account;
  readonly #upload: Upload;
  readonly #relay: ResponseRelay;
  readonly #slot: SlotUse;
  readonly #link: BackendLink;
  #phase: Phase = 'over';
  /** The backend's. */
  #state: BackendState | null = null;
  /** When the request began to be sent, ms. */
  #sentAt = 0;

  constructor(
    owner: AttemptOwner,
    client: OwnedConnection,
    shared: LaneShared,
    account: Account,
    upload: Upload,
    relay: ResponseRelay,
  ) {
    this.#owner = owner;
    this.#client = client;
    this.#shared = shared;
    this.#account = account;
    this.#upload = upload;
    this.#relay = relay;
    this.#slot = new SlotUse(this, shared.parts.slots);
    this.#link = new BackendLink(this, shared);
  }

  /** Starts an attempt at this backend. @param client as `clientKey` returns it */
  begin(backend: Backend, client: string, now: number): void {
    const { parts, clock } = this.#shared;
    const state = parts.backends.of(backend);
    this.#state = state;
    this.#link.reset();
    this.#phase = 'waiting';
    const site = siteOf(this.#account.route?.key ?? '');
    if (this.#slot.take(state, site, client, now)) return this.#connect(now);
    this.#client.due = clock.after(this.#client.limits.connectMs);
  }

  /** The request's body is passed to the backend as it comes. */
  get isSending(): boolean {
    return this.#phase === 'sending' || this.#phase === 'answering';
  }

  /** A response has begun. */
  get isResponding(): boolean {
    return this.#phase === 'answering';
  }

  /** A part of the request's body has come, while `isSending`. */
  passBody(bytes: Buffer | null): void {
    const isSending = this.#phase === 'sending';
    const upload = this.#upload;
    const isInTime = upload.pass(this.#link.connection?.socket ?? null, bytes, isSending);
    if (!isInTime) return this.#owner.onInterrupted(stalled('the request body came too slowly'));
    if (!isSending) return;
    if (upload.isWhole) this.#phase = 'sent';
    if (upload.isWhole || upload.isBlocked) this.#slot.stopWaiting();
    else this.#slot.onBytes(this.#client.bodyBytes, this.#shared.parts.now());
  }

  onClientDrained(): void {
    if (this.#phase !== 'answering') return;
    const { isBlocked } = this.#client.output;
    const { clock, parts } = this.#shared;
    const { readMs, responseMs } = this.#client.limits;
    this.#client.due = clock.after(isBlocked ? readMs : responseMs);
    this.#slot.onClientRead(isBlocked, parts.now());
    if (!isBlocked) this.#link.connection?.socket?.resume();
  }

  onTimeout(): void {
    switch (this.#phase) {
      case 'waiting':
        return this.#owner.onFailed({ type: 'crowded', cause: new Error('no connection was free in time') });
      case 'connecting':
        return this.#owner.onFailed({ type: 'unreachable', cause: new Error('connecting timed out') });
      case 'sending':
        if (!this.#upload.isBlocked) return this.#owner.onInterrupted(stalled('the request body stopped coming'));
        break;
      case 'sent':
        break;
      case 'answering':
        return this.#client.output.isBlocked
          ? this.#owner.onSlowReader('slow-reader')
          : this.#owner.onBrokenOff(stoppedComing());
      case 'checking':
      case 'over':
        return;
    }
    const { hasRespondedToOthers } = this.#slot;
    const cause = new Error('the backend did not respond in time');
    this.#owner.onFailed({ type: 'silent', cause, hasRespondedToOthers });
  }

  /** Gives back all that the attempt holds. Idempotent. */
  end(): void {
    this.#phase = 'over';
    this.#link.end();
    this.#slot.leave();
  }

  onSlot(): void {
    this.#connect(this.#shared.parts.now());
  }

  onSlotNeeded(): void {
    if (this.#phase === 'answering') this.#owner.onSlowReader('slot-needed');
    else if (this.#phase === 'sending')
      this.#owner.onInterrupted(stalled('the request body held a slot that others needed'));
  }

  onConnected(): void {
    if (this.#phase === 'connecting') this.#send(this.#shared.parts.now());
  }

  onBackendBytes(bytes: Buffer): void {
    const relay = this.#relay;
    const { output } = this.#client;
    const wasBlocked = output.isBlocked;
    const progress = relay.onBytes(bytes);
    if (progress === 'faulty') {
      if (relay.response !== null) this.#owner.onBrokenOff(new Error(relay.fault));
      else this.#owner.onFailed({ type: 'garbled', cause: new Error(relay.fault) });
      return;
    }
    const { clock, parts } = this.#shared;
    if (progress === 'head') {
      this.#client.due = clock.after(this.#client.limits.firstByteMs);
      return;
    }
    if (this.#phase !== 'answering') {
      this.#phase = 'answering';
      this.#slot.onResponse(relay.response?.status ?? 0, this.#sentAt, parts.now());
      if (relay.response !== null) this.#account.judge(relay.response, this.#state?.isDead === true, parts.judge);
    }
    if (progress !== 'body') return this.#finish(progress === 'whole');
    if (!output.isBlocked) {
      this.#client.due = clock.after(this.#client.limits.responseMs);
      return;
    }
    // From now on the client's silence is limited, whatever the backend still sends.
    if (!wasBlocked) this.#client.due = clock.after(this.#client.limits.readMs);
    if (!output.isFull) return;
    this.#link.connection?.socket?.pause();
    this.#slot.awaitClient(this.#client.bodyBytes, parts.now());
  }

  onBackendDrained(): void {
    const isSending = this.#phase === 'sending';
    this.#upload.drained(isSending);
    if (isSending) this.#slot.awaitClient(this.#client.bodyBytes, this.#shared.parts.now());
  }

  onBackendEnd(): void {
    if (this.#phase === 'answering' && this.#relay.onEnd()) this.#finish(false);
    else this.onBackendGone(new Error('the backend closed the connection'));
  }

  onBackendGone(cause: Error): void {
    switch (this.#phase) {
      case 'connecting':
        return this.#owner.onFailed(notConnected(cause));
      case 'sending':
      case 'sent':
        return this.#mayResend ? this.#resend() : this.#owner.onFailed({ type: this.#lossType, cause });
      case 'answering':
        return this.#owner.onBrokenOff(cause);
      case 'waiting':
      case 'checking':
      case 'over':
        return;
    }
  }

  onOpen(): void {
    if (this.#phase === 'checking') this.#send(this.#shared.parts.now());
  }

  onClosed(): void {
    if (this.#phase === 'checking') this.#connect(this.#shared.parts.now());
  }

  /** @param now ms */
  #connect(now: number): void {
    const { backend, request } = this.#account;
    const state = this.#state;
    if (backend === null || state === null || request === null) return;
    const { clock } = this.#shared;
    const isSafe = isIdempotent(request.method);
    if (this.#link.takeIdle(state, isSafe)) {
      if (isSafe) return this.#send(now);
      this.#phase = 'checking';
      this.#client.due = Infinity;
      return this.#link.check();
    }
    this.#phase = 'connecting';
    this.#client.due = clock.after(this.#client.limits.connectMs);
    this.#link.open(backend, state);
  }

  #send(now: number): void {
    const { head } = this.#account;
    const socket = this.#link.connection?.socket ?? null;
    if (socket === null || head === null) return;
    this.#phase = this.#upload.isWhole ? 'sent' : 'sending';
    this.#slot.onSend();
    this.#sentAt = now;
    this.#upload.begin(socket, head.text);
    if (this.#phase === 'sending') this.#slot.awaitClient(this.#client.bodyBytes, now);
  }

  get #mayResend(): boolean {
    if (this.#relay.hasHeard || this.#upload.isLost) return false;
    return this.#link.mayResend(this.#account.request?.method ?? '');
  }

  /** The outcome when the connection failed and the request must not be sent again. */
  get #lossType(): 'broken' | 'dropped' {
    if (!this.#link.isReused || this.#relay.hasHeard) return 'broken';
    if (isIdempotent(this.#account.request?.method ?? '')) return 'broken';
    return lossOnReused(this.#shared.parts.now() - this.#sentAt);
  }

  #resend(): void {
    this.#slot.stopWaiting();
    this.#link.dropStale();
    this.#upload.wait();
    this.#connect(this.#shared.parts.now());
  }

  /** The response is whole. @param isClean nothing came after it */
  #finish(isClean: boolean): void {
    const { pool, parts } = this.#shared;
    const connection = this.#link.handOver();
    const keepMs = this.#relay.response?.keepMs ?? 0;
    const { bodyBytes: responseBytes } = this.#relay;
    const isKept = isClean && parts.isKeeping && this.#relay.isKept;
    let early: EarlyBackend | null = null;
    if (!this.#upload.isWhole && isClean && connection !== null) {
      early = { connection, slot: this.#slot.handOver(), keepMs: isKept ? keepMs : null, responseBytes };
    } else if (isKept && this.#upload.isWhole && connection !== null) {
      pool.release(connection, responseBytes, keepMs);
    } else {
      connection?.destroy();
    }
    this.#owner.onDone(early);
  }
}

function stalled(why: string): RouterError {
  return new RouterError('request-timeout', why);
}
