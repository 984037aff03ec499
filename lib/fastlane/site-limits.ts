/** What the limits of a site, and of an overloaded worker, refuse. */
import { OVERLOADED, RATE_LIMITED } from '../core/errors.ts';
import type { Route } from '../core/routing/types.ts';
import { lineValue } from '../http1/field-lines.ts';
import { rateKey } from '../rates/rate-key.ts';
import type { LaneParts, OwnResponse } from './parts.ts';
import type { ReadRequest } from './request-grammar.ts';

/**
 * Counts a request for the limits of its site. Call it once for each.
 * @param client as `clientKey` returns it
 * @returns the response to a request that is refused; null when it may pass
 */
export function refusalOf(
  parts: LaneParts,
  request: ReadRequest,
  { site: { rate }, key, frontend }: Route,
  client: string,
  clientIp: string,
): OwnResponse | null {
  const { overload, rates } = parts;
  if (overload !== null && overload.refuses(key)) {
    parts.onRefused(OVERLOADED, clientIp, frontend);
    return parts.own.overloaded;
  }
  if (rate === null) return null;
  const waitMs = rates.take(rate, key, rateKey(rate, client, frontend, request.text, lineValue));
  if (waitMs === 0) return null;
  parts.onRefused(RATE_LIMITED, clientIp, frontend);
  return parts.own.limited(rate, waitMs);
}
