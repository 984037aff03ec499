import { needsCookie, stickyCookie } from '../core/balance/sticky.ts';
import { clientScheme } from '../core/http/forwarded.ts';
import type { Balancing } from '../core/routing/choice.ts';
import type { Backend, RequestTraits, Route } from '../core/routing/types.ts';
import type { Exchange } from './exchange.ts';

/** The Set-Cookie value that leads this client back to this backend; null where it needs none. */
export function cookieFor(
  { peer, request }: Exchange,
  { site: { balance }, key, prefix }: Route,
  backend: Backend,
  { cookies }: RequestTraits,
  { sticky }: Pick<Balancing, 'sticky'>,
): string | null {
  if (balance === null || balance.sticky === null || !needsCookie(balance, backend, key, cookies, sticky)) return null;
  const isSecure = clientScheme(peer, request.rawHeaders) === 'https';
  return stickyCookie(balance.sticky, sticky.valueOf(backend, key) ?? '', prefix, isSecure);
}
