/**
 * What a backend says of its own addresses, said as clients see them: the opposite of path-rewrite.ts, as Apache's
 * ProxyPassReverse and ProxyPassReverseCookiePath have it. Pure.
 */
import { bracketed } from '../core/routing/hostname.ts';
import type { PathRewrite } from './path-rewrite.ts';
import type { Backend } from '../core/routing/types.ts';

/** What a backend's addresses are mapped by. */
export interface MapBack {
  readonly rewrite: PathRewrite;
  /** The route's, or "". */
  readonly prefix: string;
  readonly backend: Backend;
  /** What stands before all paths for the backend because of its URL (`server.backendPath`), or "". */
  readonly backendPath: string;
  /** The client's: scheme, and Host as sent. */
  readonly scheme: 'http' | 'https';
  readonly authority: string;
}

const ABSOLUTE = /^(?:(https?):)?\/\/([^/?#]*)(.*)$/i;
const COOKIE_PATH = /(;[ \t]*path[ \t]*=[ \t]*)(\/[^; \t]*)/i;

/** The value of Location or Content-Location. What is not the backend's own is left as it is. */
export function mapLocation(value: string, by: MapBack): string {
  const match = ABSOLUTE.exec(value);
  if (match === null) return value.startsWith('/') ? mapPath(value, by) : value;
  const [, , authority = '', rest = ''] = match;
  if (!isOwn(authority.toLowerCase(), by)) return value;
  return `${by.scheme}://${by.authority}${mapPath(rest.startsWith('/') ? rest : `/${rest}`, by)}`;
}

/** The value of Set-Cookie. */
export function mapCookie(value: string, by: MapBack): string {
  return value.replace(COOKIE_PATH, (_, name: string, path: string) => {
    const mapped = mapPath(path, by);
    // `/api/` would leave out `/api`; what a cookie's path means goes by whole segments (RFC 6265 §5.1.4).
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
  // Nobody can say which path a pattern came from.
  if (rewrite.pattern !== null) return path;
  const base = backendPath + rewrite.prepend + (rewrite.strip ? '' : prefix);
  if (!path.startsWith(base)) return path;
  const rest = path.slice(base.length);
  return rest === '' || /^[/?#]/.test(rest) ? prefix + rest || '/' : path;
}
