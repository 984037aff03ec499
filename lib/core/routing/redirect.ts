/** Redirects: when, and where to. Pure. */
import { inAscii } from './path-escape.ts';
import { pathOf } from './prefixes.ts';

export type RedirectStatus = 301 | 302 | 303 | 307 | 308;

/** The properties of a request that redirects use. */
export interface Visit {
  /** The client's own scheme, even if a proxy ends its TLS. */
  readonly scheme: 'http' | 'https';
  /** Host as sent; its name is lower case and without a port. */
  readonly authority: string;
  readonly hostname: string;
  /** As sent. */
  readonly path: string;
  /** The port that the client came in by, as far as the router or a trusted proxy can say; null where neither can. */
  readonly port: number | null;
}

/** A parsed entry `redirect://target/`. */
export interface RedirectTarget {
  /** Null: the client's own. */
  readonly scheme: 'http' | 'https' | null;
  /** Host and port as written. */
  readonly authority: string;
  /** As written; at least a slash. */
  readonly path: string;
  /** Null: the frontend's usual one. */
  readonly status: RedirectStatus | null;
}

export interface Redirect {
  readonly status: RedirectStatus;
  readonly location: string;
  /** False if the location has a port that only the client has named: a cache must not give it to others. */
  readonly mayBeStored: boolean;
}

/** Parses the status of a redirect; null when it is none. */
export function redirectStatusOf(text: string): RedirectStatus | null {
  switch (text) {
    case '301':
      return 301;
    case '302':
      return 302;
    case '303':
      return 303;
    case '307':
      return 307;
    case '308':
      return 308;
    default:
      return null;
  }
}

/** The same address with a slash at the end of its path. */
export function redirectToFolder(visit: Visit): Redirect {
  const { scheme, authority, path } = visit;
  const host = authority.slice(0, authority.length - portOf(authority).length);
  const { length } = pathOf(path);
  const location = `${scheme}://${host}${askedPort(visit)}${inAscii(`${path.slice(0, length)}/${path.slice(length)}`)}`;
  return { status: 301, location, mayBeStored: isPortKnown(visit) };
}

/**
 * Where an entry `redirect://target/` redirects this request: the rest of the path after the route's prefix is
 * appended.
 * @param prefix the route's, or ""
 */
export function redirectByEntry(target: RedirectTarget, prefix: string, visit: Visit, usual: RedirectStatus): Redirect {
  const { scheme, authority, path } = target;
  const rest = pathFrom(visit.path).slice(prefix.length);
  const joined = rest.startsWith('/') || rest === '' ? path.replace(/\/$/, '') + rest : path + rest;
  const location = `${scheme ?? visit.scheme}://${authority}${joined.startsWith('/') ? joined : `/${joined}`}`;
  return { status: target.status ?? usual, location, mayBeStored: true };
}

/** `OPTIONS *` is about the server: it has no path for a redirect. */
export function pathFrom(path: string): string {
  return path.startsWith('/') ? inAscii(path) : '/';
}

/** The port of the client's Host field, unless it is the scheme's usual one. */
export function askedPort({ scheme, authority }: Visit): string {
  const port = portOf(authority);
  return Number(port.slice(1)) === USUAL_PORT[scheme] ? '' : port;
}

/** Whether that port is confirmed by the router or a trusted proxy. */
export function isPortKnown(visit: Visit): boolean {
  const port = askedPort(visit);
  return port === '' || Number(port.slice(1)) === visit.port;
}

const USUAL_PORT = { http: 80, https: 443 } as const;

/** The port of a Host field, with its colon, or "". */
export function portOf(authority: string): string {
  return /:[0-9]+$/.exec(authority)?.[0] ?? '';
}
