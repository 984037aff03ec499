/** Applies a site's features to a request before a backend is chosen (core/routing/site.ts). */
import { NO_FRONTEND } from '../core/errors.ts';
import { clientPort, clientScheme } from '../core/http/forwarded.ts';
import { candidates } from '../core/routing/hostname.ts';
import type { Redirect, Visit } from '../core/routing/redirect.ts';
import type { RequestHead } from '../core/http/request-head.ts';
import { NO_SITE } from '../core/routing/site.ts';
import type { LookedUp, Route } from '../core/routing/types.ts';
import type { RouteLookups } from '../store/store.ts';
import type { Exchange } from './exchange.ts';
import type { Pauses } from './pauses.ts';

export interface AdmissionParts {
  readonly store: Pick<RouteLookups, 'find'>;
  readonly pauses: Pauses;
  readonly redirect: (exchange: Exchange, redirect: Redirect) => void;
  /** Returns the port of a TLS listener; null without one. */
  readonly securePort: () => number | null;
}

/**
 * Returns the route of a request that may go to a backend; null when it has been redirected, or its client has left.
 * @throws RouterError when the site rejects it
 */
export async function admit(exchange: Exchange, head: RequestHead, parts: AdmissionParts): Promise<Route | null> {
  const keys = candidates(head.hostname);
  let pausedAt: number | null = null;
  for (;;) {
    // After a pause the route is looked up again.
    const lookedUp: LookedUp | null = pausedAt === null ? exchange.lookedUp : null;
    const found = lookedUp !== null ? routeOf(lookedUp) : await parts.store.find(keys, head.path, exchange);
    if (!found) throw NO_FRONTEND;
    exchange.route = found;
    if (exchange.interruption !== null) return found;
    if (found.site === NO_SITE) return found;
    const visit = visitOf(exchange, head);
    const admission = found.site.admit(visit, parts.securePort());
    switch (admission?.type) {
      case undefined:
        return found;
      case 'redirected':
        parts.redirect(exchange, admission.redirect);
        return null;
      case 'refused':
        throw admission.error;
      case 'held': {
        const now = performance.now();
        pausedAt ??= now;
        const isHolding = ({ site }: Route): boolean => site.admit(visit, parts.securePort())?.type === 'held';
        await parts.pauses.hold(exchange, found, pausedAt + admission.maxSeconds * 1000 - now, isHolding);
        if (exchange.isEnded) return null;
      }
    }
  }
}

/** @throws the store's error, if the lookup failed */
function routeOf(lookedUp: LookedUp): Route | null {
  if ('fault' in lookedUp) throw lookedUp.fault;
  return lookedUp.route;
}

/** The request as sites see it. */
export function visitOf({ request, peer }: Exchange, { authority, hostname, path }: RequestHead): Visit {
  const { rawHeaders } = request;
  return { scheme: clientScheme(peer, rawHeaders), port: clientPort(peer, rawHeaders), authority, hostname, path };
}
