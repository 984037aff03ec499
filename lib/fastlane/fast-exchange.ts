/**
 * One plain request, from its head to the end of its response. Handles the usual case only: one lookup, one attempt.
 * Anything else, while no response has begun, is handed off to the full lane, which judges the attempt and goes on.
 */
import { needsCookie } from '../core/balance/sticky.ts';
import { isDialled, isHttp2 } from '../core/routing/backend.ts';
import { GATHER_MS } from '../core/limits/client-limits.ts';
import { LastClientKey } from '../core/limits/client-key.ts';
import type { CutReason } from '../core/record/cut-reason.ts';
import { RouterError } from '../core/errors.ts';
import { spokenVersion } from '../core/http/forwarded.ts';
import { candidates, hostOf, PING_HOST } from '../core/routing/hostname.ts';
import { choose } from '../core/routing/selection.ts';
import { NO_SITE, type Site } from '../core/routing/site.ts';
import type { Ending } from '../core/record/spans.ts';
import type { Backend, Outcome, Route } from '../core/routing/types.ts';
import { Account } from './account.ts';
import { ResponseRelay } from './response-relay.ts';
import { pathFor, withTarget } from './backend-target.ts';
import type { EarlyBackend, ConnectionOwner, OwnedConnection } from './connection-owner.ts';
import { type AttemptOwner, FastAttempt } from './fast-attempt.ts';
import type { WrittenHead } from './head-writer.ts';
import { mayServe } from './may-serve.ts';
import type { ReadRequest } from './request-grammar.ts';
import { fits, isOver } from './request-size.ts';
import { traitsOf } from './request-traits.ts';
import type { LaneShared } from './shared.ts';
import { SiteEntry, type SiteEntryOwner } from './site-entry.ts';
import { hasPageOfAll, isTooMany, refuseUnknown } from './unknown-host.ts';
import { Upload } from './upload.ts';

const NONE_TRIED: ReadonlySet<number> = new Set();

/** What is awaited. `looking`: the store; `gathering`: a first part of its body; `entering`: the site; `trying`: the attempt. */
type Phase = 'over' | 'looking' | 'gathering' | 'entering' | 'trying';

/** One for each client's connection, used for one request after the other. */
export class FastExchange implements ConnectionOwner, AttemptOwner, SiteEntryOwner {
  readonly #client: OwnedConnection;
  readonly #shared: LaneShared;
  readonly #relay: ResponseRelay;
  readonly #upload: Upload;
  readonly #account = new Account();
  readonly #entry: SiteEntry;
  readonly #attempt: FastAttempt;
  #phase: Phase = 'over';
  /** Distinguishes a late reply of the store to an earlier request from one to this request. */
  #serial = 0;
  readonly #clientKey = new LastClientKey();

  constructor(client: OwnedConnection, shared: LaneShared) {
    this.#client = client;
    this.#shared = shared;
    this.#upload = new Upload(client, shared);
    this.#relay = new ResponseRelay(client, shared);
    this.#entry = new SiteEntry(this, shared.parts, this.#account, this.#relay);
    this.#attempt = new FastAttempt(this, client, shared, this.#account, this.#upload, this.#relay);
  }

  /** Starts an exchange. The request's body follows by `onBody`. */
  start(request: ReadRequest): void {
    const { parts } = this.#shared;
    this.#client.limits = parts.limits;
    this.#account.begin(request, parts.now());
    this.#upload.start(request);
    this.#relay.start(request.method === 'HEAD', request.isLast);
    parts.budget.requestStarted();
    this.#serial++;
    this.#phase = 'looking';

    const hostname = hostOf(request.host);
    const { bodyBytes } = parts.limits;
    if (!request.isPlain || hostname === null || hostname === PING_HOST || isOver(request.length, bodyBytes))
      return this.#handOff(null, null);
    const route = parts.store.peek(hostname, request.target);
    if (route === undefined) this.#ask(hostname, request.target);
    else this.#onRoute(route, hostname);
  }

  onBody(bytes: Buffer | null, isWhole: boolean): void {
    const { isSending: isSent } = this.#attempt;
    const upload = this.#upload;
    upload.take(bytes, isWhole, isSent);
    const { bodyBytes: limit } = this.#client.limits;
    if (isOver(this.#client.bodyBytes, limit)) {
      if (this.#account.backend === null) this.#handOff(null, null);
      else this.onInterrupted(new RouterError('body-too-large', `a body of more than ${limit} bytes`));
    } else if (isSent) {
      this.#attempt.passBody(bytes);
    } else if (!upload.isReady) {
      return;
    } else if (this.#phase === 'gathering') {
      this.#admit();
    } else {
      upload.wait();
    }
  }

  onBadBody(): void {
    this.onInterrupted(new RouterError('bad-request', 'the request body is not framed as its head says'));
  }

  onClientDrained(): void {
    this.#attempt.onClientDrained();
  }

  onClientGone(): void {
    const { route, backend } = this.#account;
    if (route !== null && backend !== null && route.onTrial.has(backend.id))
      this.#shared.parts.trials.left(route.frontend, backend);
    this.#drop();
    this.#report('left');
  }

  onTimeout(): void {
    if (this.#phase === 'gathering') this.#handOff(null, null);
    else this.#attempt.onTimeout();
  }

  #ask(hostname: string, path: string): void {
    this.#shared.parts.store.find(candidates(hostname), path, this).then(
      this.#onReply((route: Route | null) => this.#onRoute(route, hostname)),
      this.#onReply((fault: unknown) => {
        this.#account.lookupFault = fault;
        if (isTooMany(fault)) this.#onUnknown(false, hostname);
        else this.#handOff(null, null);
      }),
    );
  }

  /** `act`, for a reply of the store, which limits the wait. Does nothing if the request has ended by then. */
  #onReply<T>(act: (value: T) => void): (value: T) => void {
    const serial = this.#serial;
    this.#client.due = Infinity;
    return (value) => {
      if (this.#serial === serial && this.#phase === 'looking') act(value);
    };
  }

  #onRoute(route: Route | null, hostname: string): void {
    this.#account.isLookedUp = true;
    this.#account.route = route;
    if (route === null) {
      void hasPageOfAll(this.#shared.parts).then(this.#onReply((isPage) => this.#onUnknown(isPage, hostname)));
      return;
    }
    const { request } = this.#account;
    if (request === null || (route.site !== NO_SITE && !this.#isMine(request, route.site)))
      return this.#handOff(null, null);
    if (this.#upload.isReady) return this.#admit();
    this.#phase = 'gathering';
    this.#client.due = this.#shared.clock.after(GATHER_MS);
  }

  /** Without a route: there is none, or too many hosts had none. @param isPage all sites have an error page for that */
  #onUnknown(isPage: boolean, hostname: string): void {
    const { parts } = this.#shared;
    if (!isPage && refuseUnknown(parts, this.#client, this.#account, this.#relay, hostname)) this.onDone(null);
    else this.#handOff(null, null);
  }

  /** Whether this lane may serve a request of a site, which is within its limits of sizes. From now on the site's limits hold. */
  #isMine(request: ReadRequest, site: Site): boolean {
    const client = this.#client;
    if (!mayServe(request, site, client.writer.peer.isTls)) return false;
    if (site.limits === null) return true;
    client.limits = this.#shared.parts.limitsBySite.of(site.limits);
    return fits(request, client.bodyBytes, client.limits);
  }

  /** Takes the request from the limits of its site. */
  #admit(): void {
    const { request, route } = this.#account;
    if (request === null || route === null) return;
    const { parts } = this.#shared;
    const { balance } = route.site;
    // The full lane waits for the secret.
    if (balance !== null && balance.sticky !== null && !parts.sticky.isReady()) return this.#handOff(null, null);
    const head = this.#client.writer.write(request);
    this.#account.head = head;
    this.#account.clientKey = this.#clientKey.of(head.clientIp);
    this.#client.output.clientKey = this.#account.clientKey;
    this.#relay.responseFields = head.responseFields;
    this.#phase = 'entering';
    this.#entry.enter(request, route, head);
  }

  onWaiting(): void {
    this.#client.due = Infinity;
    this.#upload.wait();
  }

  onEntered(request: ReadRequest, route: Route, head: WrittenHead): void {
    const account = this.#account;
    const { parts } = this.#shared;
    const { balance } = route.site;
    const traits = traitsOf(request, route, head.clientIp);
    let backend: Backend | null;
    try {
      backend = choose(route, NONE_TRIED, parts, traits);
    } catch {
      backend = null;
    }
    // HTTP/2 to backends, and responses by the router itself, are done by the full lane.
    if (backend === null || isHttp2(backend) || !isDialled(backend)) return this.#handOff(null, null);
    // Its response needs another field.
    if (balance !== null && needsCookie(balance, backend, route.key, traits.cookies, parts.sticky))
      return this.#handOff(null, null);
    // The full lane finds another, or waits.
    if (account.permit !== null && !account.permit.useBackend(backend)) return this.#handOff(null, null);
    this.#upload.wait();
    account.backend = backend;
    const path = pathFor(route, backend, request.target, parts.hasBackendPath);
    if (path !== request.target) account.head = withTarget(head, request, path);
    account.triedAt = parts.now();
    if (route.onTrial.has(backend.id)) parts.trials.begun(route.frontend, backend);
    this.#phase = 'trying';
    this.#attempt.begin(backend, account.clientKey, account.triedAt);
  }

  /** Of the request that is looked up: store/store.ts asks for it rarely. */
  get clientKey(): string {
    const { request } = this.#account;
    const { writer } = this.#client;
    return this.#clientKey.of(request === null ? writer.peer.address : writer.write(request).clientIp);
  }

  onFailed(outcome: Outcome): void {
    this.#handOff(outcome, null);
  }

  onInterrupted(reason: RouterError): void {
    if (this.#attempt.isResponding) this.#cut();
    else this.#handOff(this.#account.backend === null ? null : { type: 'abandoned' }, reason);
  }

  onSlowReader(reason: CutReason): void {
    const { head, route } = this.#account;
    this.#shared.parts.onCut(reason, head?.clientIp ?? '', route?.frontend ?? null);
    this.#cut();
  }

  onBrokenOff(why: Error): void {
    const { head, route, backend } = this.#account;
    const { onResponseCut } = this.#shared.parts;
    onResponseCut({ client: head?.clientIp ?? '', host: route?.frontend ?? null, backend, why });
    this.#cut();
  }

  onDone(early: EarlyBackend | null): void {
    this.#drop();
    this.#report('whole');
    this.#client.finished(this.#relay.isLast, early);
  }

  #handOff(outcome: Outcome | null, interruption: RouterError | null): void {
    const { request } = this.#account;
    if (request === null) return;
    const isBodyLost = this.#upload.isLost || interruption !== null;
    const held = isBodyLost ? [] : this.#upload.held;
    const handoff = this.#account.handoff(request, outcome, interruption, isBodyLost, this.#shared.parts.now());
    this.#drop();
    this.#client.handOff(request, handoff, held);
  }

  /** Destroys the connection: the client must not take a partial response for a whole one. */
  #cut(): void {
    this.#drop();
    this.#report('cut');
    this.#client.cut();
  }

  /** Releases the body, the attempt and the retry budget. */
  #drop(): void {
    this.#phase = 'over';
    this.#entry.leave();
    this.#upload.end();
    this.#account.permit?.release();
    this.#account.permit = null;
    this.#shared.parts.budget.requestEnded();
    this.#attempt.end();
  }

  /** Reports the finished exchange to the access log, metrics and tracing. */
  #report(ending: Ending): void {
    const { record, trace, now, overload } = this.#shared.parts;
    const account = this.#account;
    const { request, route } = account;
    if (overload !== null && route !== null) overload.sent(route.key, this.#relay.bodyBytes);
    if (request === null || (record === null && trace === null)) return;
    const endedAt = now();
    const { writer } = this.#client;
    if (record !== null) {
      record(account.record(request, writer, this.#relay, endedAt), spokenVersion(writer.peer, '1.1'));
    }
    if (trace === null) return;
    const traced = account.traced(request, writer, this.#relay, ending, endedAt);
    if (traced !== null) trace(traced);
  }
}
