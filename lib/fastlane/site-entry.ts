import type { RouterError } from '../core/errors.ts';
import { pageKeys } from '../core/routing/prefixes.ts';
import type { ConcurrencyRule, Permit } from '../core/routing/site.ts';
import type { Route } from '../core/routing/types.ts';
import type { Account } from './account.ts';
import { hasPage } from './error-page.ts';
import type { WrittenHead } from './head-writer.ts';
import type { LaneParts } from './parts.ts';
import type { ReadRequest } from './request-grammar.ts';
import type { ResponseRelay } from './response-relay.ts';
import { refusalOf } from './site-limits.ts';

/** For each request that enters, one of `onEntered`, `onDone` and `onInterrupted` is called, unless it leaves before. */
export interface SiteEntryOwner {
  /** It is within the limits of its site, and has a permit if it needs one. */
  onEntered(request: ReadRequest, route: Route, head: WrittenHead): void;
  /** It waits in the queue of its site. */
  onWaiting(): void;
  /** It was refused, and the response is written. */
  onDone(early: null): void;
  /** It was refused, and the site has a page for that, which the full lane sends. */
  onInterrupted(reason: RouterError): void;
}

/** How a request gets past the limits of its site: rates, and requests in flight. One for each client's connection. */
export class SiteEntry {
  readonly #owner: SiteEntryOwner;
  readonly #parts: LaneParts;
  readonly #account: Account;
  readonly #relay: ResponseRelay;
  /** Leaves the queue of the site; idempotent. Null while the request is not in one. */
  #leaveQueue: (() => void) | null = null;
  /** Distinguishes the request from one that has left. */
  #serial = 0;

  constructor(owner: SiteEntryOwner, parts: LaneParts, account: Account, relay: ResponseRelay) {
    this.#owner = owner;
    this.#parts = parts;
    this.#account = account;
    this.#relay = relay;
  }

  enter(request: ReadRequest, route: Route, head: WrittenHead): void {
    const parts = this.#parts;
    const account = this.#account;
    const refusal = refusalOf(parts, request, route, account.clientKey, head.clientIp);
    account.isCounted = refusal === null;
    if (refusal !== null) {
      this.#relay.respond(refusal);
      return this.#owner.onDone(null);
    }
    const { concurrency } = route.site;
    if (concurrency !== null) {
      account.permit = parts.permits.enter(route.key, concurrency);
      if (account.permit === null) return this.#wait(request, route, head, concurrency);
    }
    this.#owner.onEntered(request, route, head);
  }

  /** The request is served, or has ended. Idempotent. */
  leave(): void {
    if (this.#leaveQueue === null) return;
    this.#serial++;
    this.#leaveQueue();
    this.#leaveQueue = null;
  }

  #wait(request: ReadRequest, route: Route, head: WrittenHead, rule: ConcurrencyRule): void {
    this.#owner.onWaiting();
    const onPermit = (permit: Permit): void => {
      this.#account.permit = permit;
      this.#owner.onEntered(request, route, head);
    };
    const onBusy = (error: RouterError): void => void this.#refuse(error, route, head);
    this.#leaveQueue = this.#parts.queue.waitForSite(this.#account, route.key, rule, onPermit, onBusy);
  }

  /** Never rejects. */
  async #refuse(error: RouterError, { key, frontend }: Route, { clientIp }: WrittenHead): Promise<void> {
    const serial = this.#serial;
    const isPage = await hasPage(this.#parts, pageKeys(key), error.status);
    if (serial !== this.#serial) return;
    if (isPage) return this.#owner.onInterrupted(error);
    this.#parts.onRefused(error, clientIp, frontend);
    this.#relay.respond(this.#parts.own.busy(error));
    this.#owner.onDone(null);
  }
}
