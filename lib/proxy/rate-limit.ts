import { OVERLOADED, RouterError } from '../core/errors.ts';
import { rawValue } from '../core/http/trait.ts';
import type { Route } from '../core/routing/types.ts';
import { inWords, rateFields } from '../rates/rate-fields.ts';
import { rateKey } from '../rates/rate-key.ts';
import type { Overload } from '../overload/overload.ts';
import type { RateLimits } from '../rates/rate-limits.ts';
import type { Exchange } from './exchange.ts';

/**
 * Counts a request of a site for the overload of this worker, unless the fast lane has done so.
 * @throws RouterError `overloaded` when it is refused
 */
export function shed(exchange: Exchange, { key }: Route, overload: Pick<Overload, 'refuses'> | null): void {
  if (overload === null || exchange.isCounted) return;
  if (overload.refuses(key)) throw OVERLOADED;
}

/**
 * Takes a request from its site's rate limit, unless the fast lane has done so.
 * @throws RouterError `rate-limited` when it is beyond that
 */
export function limitRate(exchange: Exchange, route: Route, rates: Pick<RateLimits, 'take'>): void {
  const { rate } = route.site;
  if (rate === null || exchange.isCounted) return;
  const of = rateKey(rate, exchange.clientKey, route.frontend, exchange.request.rawHeaders, rawValue);
  const waitMs = rates.take(rate, route.key, of);
  if (waitMs > 0) throw new RouterError('rate-limited', inWords(rate), { fields: rateFields(rate, waitMs) });
}
