/**
 * Maps a backend's own addresses in its response to those that clients see: the opposite of path-rewrite.ts, like
 * Apache's ProxyPassReverse and ProxyPassReverseCookiePath. Pure functions.
 */
import { bracketed } from '../core/routing/hostname.ts';
import type { PathRewrite } from './path-rewrite.ts';
import type { Backend } from '../core/routing/types.ts';

/** What the mapping depends on. */
export interface MapBack {
  readonly rewrite: PathRewrite;
  /** The route's, or "". */
  readonly prefix: string;
  readonly backend: Backend;
  /** The path of the backend's URL, which is put before all paths (`server.backendPath`), or "". */
  readonly backendPath: string;
  /** The client's scheme, and its Host as sent. */
  readonly scheme: 'http' | 'https';
  readonly authority: string;
}

const ABSOLUTE = /^(?:(https?):)?\/\/([^/?#]*)(.*)$/i;
const COOKIE_PATH = /(;[ \t]*path[ \t]*=[ \t]*)(\/[^; \t]*)/i;

/** Maps the value of Location or Content-Location. Other addresses than the backend's are unchanged. */
export function mapLocation(value: string, by: MapBack): string {
  const match = ABSOLUTE.exec(value);
  if (match === null) return value.startsWith('/') ? mapPath(value, by) : value;
  const [, , authority = '', rest = ''] = match;
  if (!isOwn(authority.toLowerCase(), by)) return value;
  return `${by.scheme}://${by.authority}${mapPath(rest.startsWith('/') ? rest : `/${rest}`, by)}`;
}

/** Maps the value of Set-Cookie. */
export function mapCookie(value: string, by: MapBack): string {
  return value.replace(COOKIE_PATH, (_, name: string, path: string) => {
    const mapped = mapPath(path, by);
    // A cookie path of `/api/` would not match `/api`; cookie paths match whole segments (RFC 6265 §5.1.4).
    return name + (path === '/' && mapped.length > 1 ? mapped.replace(/\/$/, '') : mapped);
  });
}

function isOwn(authority: string, { backend: { hostname, port }, authority: host }: MapBack): boolean {
  const name = bracketed(hostname);
  return (
    authority === host.toLowerCase() ||
    authority === `${name}:${port}` ||
    ((port === 80 || port === 443) && authority === name)
  );
}

function mapPath(path: string, { rewrite, prefix, backendPath }: MapBack): string {
  // The original path cannot be derived from a pattern's replacement.
  if (rewrite.pattern !== null) return path;
  const base = backendPath + rewrite.prepend + (rewrite.strip ? '' : prefix);
  if (!path.startsWith(base)) return path;
  const rest = path.slice(base.length);
  return rest === '' || /^[/?#]/.test(rest) ? prefix + rest || '/' : path;
}
