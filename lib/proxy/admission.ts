/** What a frontend's options make of a request before any backend hears of it. */
import { RouterError } from '../core/errors.ts';
import { clientScheme } from '../core/forwarded.ts';
import { candidates } from '../core/hostname.ts';
import { type Redirect, redirectByOptions, type Visit } from '../core/redirect.ts';
import type { RequestHead } from '../core/request-head.ts';
import type { Route } from '../core/types.ts';
import type { RouteStore } from '../store/store.ts';
import type { Exchange } from './exchange.ts';
import type { Pauses } from './pauses.ts';

export interface AdmissionParts {
  readonly store: Pick<RouteStore, 'find'>;
  readonly pauses: Pauses;
  readonly redirect: (exchange: Exchange, redirect: Redirect) => void;
  /** Where clients can speak TLS; null where they cannot. */
  readonly securePort: () => number | null;
}

/**
 * The route of a request that may go to a backend; null when there is nothing left to do for it.
 * @throws RouterError when it may not
 */
export async function admit(exchange: Exchange, head: RequestHead, parts: AdmissionParts): Promise<Route | null> {
  const keys = candidates(head.hostname);
  let pausedAt: number | null = null;
  for (;;) {
    const found = await parts.store.find(keys, head.path);
    if (!found) throw new RouterError('no-frontend', 'frontend not found');
    exchange.route = found;
    if (exchange.interruption !== null) return found;
    const { options } = found;
    const redirect = redirectByOptions(options, visitOf(exchange, head), parts.securePort());
    if (redirect !== null) {
      parts.redirect(exchange, redirect);
      return null;
    }
    switch (options.state) {
      case 'live':
        return found;
      case 'maintenance':
        throw new RouterError('maintenance', 'the site is in maintenance');
      case 'paused': {
        const now = performance.now();
        pausedAt ??= now;
        await parts.pauses.hold(exchange, found, pausedAt + options.pauseMax * 1000 - now);
        if (exchange.isEnded) return null;
      }
    }
  }
}

/** The request as redirects see it. */
export function visitOf({ request, peer }: Exchange, { authority, hostname, path }: RequestHead): Visit {
  return { scheme: clientScheme(peer, request.rawHeaders), authority, hostname, path };
}
