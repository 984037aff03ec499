/** When a client is sent elsewhere, and where to. Pure. */
import { bracketed, hostOf } from './hostname.ts';
import type { RouteOptions } from './options.ts';
import type { RedirectTarget } from './types.ts';

export type RedirectStatus = 301 | 302 | 303 | 307 | 308;

/** A request, as far as redirects look at it. */
export interface Visit {
  /** What the client speaks, whoever ends its TLS. */
  readonly scheme: 'http' | 'https';
  /** Host as sent; its name is lower case and without a port. */
  readonly authority: string;
  readonly hostname: string;
  /** As sent. */
  readonly path: string;
}

export interface Redirect {
  readonly status: RedirectStatus;
  readonly location: string;
}

/**
 * Where a frontend's options send this request; null when it may stay.
 * @param securePort where TLS is spoken with clients; null when it is not
 */
export function redirectByOptions(options: RouteOptions, visit: Visit, securePort: number | null): Redirect | null {
  const { canonical } = options;
  const port = options.httpsPort ?? securePort;
  const isUpgrade = options.https === 'redirect' && visit.scheme === 'http' && port !== null;
  const isElsewhere = canonical !== null && visit.hostname !== canonical.hostname;
  if (!isUpgrade && !isElsewhere) return null;
  const status = (isUpgrade ? options.httpsStatus : null) ?? options.redirectStatus;
  const name = isElsewhere ? canonical.hostname : visit.hostname;
  const scheme = isUpgrade ? 'https' : visit.scheme;
  const suffix = isUpgrade ? portSuffix(port) : (canonical?.port ?? portOf(visit.authority));
  return { status, location: `${scheme}://${name}${suffix}${pathFrom(visit.path)}` };
}

/** Whether what `redirectByOptions` says of a request cannot be anything but null. */
export function staysForSure({ canonical, https }: RouteOptions, host: string, isTls: boolean): boolean {
  return (https === null || isTls) && (canonical === null || hostOf(host) === canonical.hostname);
}

/**
 * Where an entry `redirect://target/` sends this request: what comes after the route's prefix is asked for there.
 * @param prefix the route's, or ""
 */
export function redirectByEntry(target: RedirectTarget, prefix: string, visit: Visit, usual: RedirectStatus): Redirect {
  const { scheme, authority, path } = target;
  const rest = pathFrom(visit.path).slice(prefix.length);
  const joined = rest.startsWith('/') || rest === '' ? path.replace(/\/$/, '') + rest : path + rest;
  const location = `${scheme ?? visit.scheme}://${authority}${joined.startsWith('/') ? joined : `/${joined}`}`;
  return { status: target.status ?? usual, location };
}

/** A host as `canonical` names it: `www.example.com`, or with a port. Null when it is none. */
export function readCanonical(text: string): { readonly hostname: string; readonly port: string | null } | null {
  const hostname = hostOf(text);
  if (hostname === null) return null;
  const port = portOf(text);
  return { hostname: hostname.startsWith('[') ? hostname : bracketed(hostname), port: port === '' ? null : port };
}

/** `OPTIONS *` is about the server: there is no such path to send anybody to. */
function pathFrom(path: string): string {
  return path.startsWith('/') ? path : '/';
}

function portOf(authority: string): string {
  return /:[0-9]+$/.exec(authority)?.[0] ?? '';
}

function portSuffix(port: number): string {
  return port === 443 ? '' : `:${port}`;
}
