/** `sticky`: a client comes back to its backend by a cookie. The rules; who makes the values is a `StickyValues`. */
import type { Backend } from '../routing/backend-url.ts';
import type { SiteBalance, StickyRule, StickyValues } from '../routing/choice.ts';

/** Where there is no secret: no value is known. */
export const NO_VALUES: StickyValues = Object.freeze({
  isReady: () => false,
  ready: () => Promise.resolve(),
  valueOf: () => null,
});

/** The backend that the client was at before, if it is among these; null otherwise. */
export function heldBackend(
  among: readonly Backend[],
  key: string,
  cookies: readonly string[],
  values: StickyValues,
): Backend | null {
  for (const backend of among) if (isHeld(backend, key, cookies, values)) return backend;
  return null;
}

/** Whether a response has to tell the client its backend: it has no cookie of this one. */
export function needsCookie(
  { sticky }: SiteBalance,
  backend: Backend,
  key: string,
  cookies: readonly string[],
  values: StickyValues,
): boolean {
  return sticky !== null && values.valueOf(backend, key) !== null && !isHeld(backend, key, cookies, values);
}

function isHeld(backend: Backend, key: string, cookies: readonly string[], values: StickyValues): boolean {
  const value = values.valueOf(backend, key);
  return value !== null && cookies.includes(value);
}

/**
 * The value of a Set-Cookie field (RFC 6265 §4.1).
 * @param prefix of the route, or ""
 * @param isSecure whether the client uses TLS
 */
export function stickyCookie({ name, seconds }: StickyRule, value: string, prefix: string, isSecure: boolean): string {
  // A ";" would end the attribute.
  const path = prefix === '' || prefix.includes(';') ? '/' : prefix;
  const age = seconds === null ? '' : `; Max-Age=${seconds}`;
  return `${name}=${value}; Path=${path}${age}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
}
