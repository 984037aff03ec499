/** Reads from a request by what a site recognises its client. */
import type { Trait } from '../routing/choice.ts';
import { isWhiteSpace } from './white-space.ts';

/** Returns the values of a field with this lower-case name, joined by the separator; null without one. */
export type FieldReader = (name: string, separator: string) => string | null;

/** The value of a header field or a cookie; null where the request has none. */
export function traitIn({ kind, name }: Trait, valueOf: FieldReader): string | null {
  if (kind === 'header') return valueOf(name, ', ');
  // A client may send several lines (RFC 9113 §8.2.3).
  const cookies = valueOf('cookie', '; ');
  return cookies === null ? null : cookieIn(cookies, name);
}

/** The value of the first cookie with this name in a Cookie field (RFC 6265 §4.2.1); null without one. */
export function cookieIn(cookies: string, name: string): string | null {
  for (let at = 0; at < cookies.length;) {
    const semicolon = cookies.indexOf(';', at);
    const end = semicolon < 0 ? cookies.length : semicolon;
    while (at < end && isWhiteSpace(cookies.charCodeAt(at))) at++;
    if (cookies.startsWith(name, at) && cookies.charCodeAt(at + name.length) === EQUALS) {
      return cookies.slice(at + name.length + 1, end).trimEnd();
    }
    at = end + 1;
  }
  return null;
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
