/** Reads from a request by what a site recognises its client. */
import type { RequestTraits, SiteBalance, Trait } from '../routing/choice.ts';
import { isWhiteSpace } from './white-space.ts';

/** Returns the values of a field with this lower-case name, joined by the separator; null without one. */
export type FieldReader = (name: string, separator: string) => string | null;

/** What a site's balance sees of a request beside the traits that all rules see. */
export type Identity = Pick<RequestTraits, 'affinity' | 'cookies'>;

/** That of requests for sites without a balance. */
export const NO_IDENTITY: Identity = Object.freeze({ affinity: null, cookies: [] });

/** How many cookies of one name count: a client has one, or one of each of several paths. */
const MAX_COOKIES = 4;

/** Reads only what the balance needs. */
export function identityIn({ trait, sticky }: SiteBalance, valueOf: FieldReader): Identity {
  if (trait === null && sticky === null) return NO_IDENTITY;
  const affinity = trait === null ? null : traitIn(trait, valueOf);
  if (sticky === null) return { affinity, cookies: NO_IDENTITY.cookies };
  return { affinity, cookies: cookiesIn(valueOf('cookie', '; ') ?? '', sticky.name, MAX_COOKIES) };
}

/** The value of a header field or a cookie; null where the request has none. */
export function traitIn({ kind, name }: Trait, valueOf: FieldReader): string | null {
  if (kind === 'header') return valueOf(name, ', ');
  // A client may send several lines (RFC 9113 §8.2.3).
  const cookies = valueOf('cookie', '; ');
  return cookies === null ? null : (cookiesIn(cookies, name, 1)[0] ?? null);
}

/** The values of the first cookies with this name in a Cookie field (RFC 6265 §4.2.1). */
export function cookiesIn(cookies: string, name: string, most: number): readonly string[] {
  const values: string[] = [];
  for (let at = 0; at < cookies.length && values.length < most;) {
    const semicolon = cookies.indexOf(';', at);
    const end = semicolon < 0 ? cookies.length : semicolon;
    while (at < end && isWhiteSpace(cookies.charCodeAt(at))) at++;
    if (cookies.startsWith(name, at) && cookies.charCodeAt(at + name.length) === EQUALS) {
      values.push(cookies.slice(at + name.length + 1, end).trimEnd());
    }
    at = end + 1;
  }
  return values;
}

/** The values of a field in a list of names and values, as Node returns it. */
export function rawValue(rawHeaders: readonly string[], name: string, separator: string): string | null {
  let found: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const own = rawHeaders[i] ?? '';
    if (own.length !== name.length || own.toLowerCase() !== name) continue;
    const value = rawHeaders[i + 1] ?? '';
    found = found === null ? value : found + separator + value;
  }
  return found;
}

const EQUALS = 0x3d;
