import { parseBackend } from './backend-url.ts';
import { bracketed } from './hostname.ts';
import { splitKey } from './prefixes.ts';
import { NO_SITE, type Site } from './site.ts';
import type { Backend, Route } from './types.ts';

/** A parsed list: the operator's name and the backends. */
export interface RouteList {
  readonly name: string;
  /** The backends with a usable URL, in list order. */
  readonly backends: readonly Backend[];
  /** How many backends the list names, usable or not. */
  readonly size: number;
}

/** Whether the backend is a server. For others the router itself responds. */
export function isDialled({ protocol }: Backend): boolean {
  return protocol !== 'file:' && protocol !== 'redirect:';
}

/** Whether it speaks HTTP/2. */
export function isHttp2({ protocol }: Backend): boolean {
  return protocol === 'h2c:' || protocol === 'h2:';
}

/** Whether it uses TLS. */
export function isTls({ protocol }: Backend): boolean {
  return protocol === 'https:' || protocol === 'h2:';
}

const AUTHORITY = /^(?:https?|h2c?):\/\/(?:[^/?#\\]*@)?((?:[\w.~-]+|\[[0-9a-f:.]+\])(?::[0-9]*)?)(?:[/?#\\]|$)/i;

/**
 * The backend as `x-debug-backend-url`, logs and traces name it: scheme, host and port, nothing after. Host and port are
 * spelled as in the list: `http://10.0.0.1` does not become `http://10.0.0.1:80`. A user and password are left out; a
 * socket is named by its path. Where the spelling is odd (escapes, letters beyond ASCII), host and port as they are dialled.
 */
export function originOf(backend: Backend): string {
  // The path of a folder is known to operators only.
  if (!isDialled(backend)) return `${backend.protocol}//`;
  // Not the protocol, which may be another by server.legacyScheme.
  const scheme = /^[a-z0-9]+:/i.exec(backend.href)?.[0].toLowerCase();
  if (backend.socketPath !== null) return `${scheme}//[unix:${backend.socketPath}]`;
  const written = AUTHORITY.exec(backend.href)?.[1];
  if (written !== undefined) return `${scheme}//${written}`;
  const host = bracketed(backend.hostname);
  return `${scheme}//${host}:${backend.port}`;
}

/** The path of the backend's URL followed by the request's, both unchanged: for `server.backendPath`. */
export function pathAt({ path }: Backend, requested: string): string {
  // `OPTIONS *` is about the server, not a path.
  return requested.startsWith('/') ? path + requested : requested;
}

/**
 * Parses a frontend's list: the identifier, then the backend URLs.
 * @param onFault called for each URL that cannot be used; its backend is left out
 */
export function readList(list: readonly string[], onFault: (href: string, fault: string) => void): RouteList {
  const backends: Backend[] = [];
  for (let i = 1; i < list.length; i++) {
    const href = list[i] ?? '';
    const parsed = parseBackend(href, i - 1);
    if ('backend' in parsed) backends.push(parsed.backend);
    else onFault(href, parsed.fault);
  }
  return Object.freeze({ name: list[0] ?? '', backends: Object.freeze(backends), size: Math.max(0, list.length - 1) });
}

/** Which backends of a route are presumed dead: see Route. Without `onTrial` none is on trial. */
export type Marks = Pick<Route, 'dead' | 'deadByRouters'> & Partial<Pick<Route, 'onTrial'>>;

const NONE: ReadonlySet<number> = new Set();
const NO_TRIALS: ReadonlyMap<number, number> = new Map();

/** No backend is presumed dead. Shared, so that the common case allocates nothing. */
export const NO_MARKS: Marks = Object.freeze({ dead: NONE, deadByRouters: NONE });

/**
 * Makes a route from a parsed list.
 * @param frontend the requested host, and the prefix
 * @param key what it matched, and the prefix: no host contains a slash
 */
export function routeOf(
  frontend: string,
  key: string,
  list: RouteList,
  { dead, deadByRouters, onTrial = NO_TRIALS }: Marks,
  site: Site = NO_SITE,
): Route {
  const { name, backends, size } = list;
  const { prefix } = splitKey(key);
  return Object.freeze({ frontend, key, prefix, name, backends, size, dead, deadByRouters, onTrial, site });
}

/** Makes a route from a stored list: `readList` and `routeOf`. */
export function buildRoute(
  frontend: string,
  key: string,
  list: readonly string[],
  marks: Marks,
  onFault: (href: string, fault: string) => void,
): Route {
  return routeOf(frontend, key, readList(list, onFault), marks);
}

/** The same route with other backends presumed dead. */
export function withMarks(route: Route, { dead, deadByRouters, onTrial = NO_TRIALS }: Marks): Route {
  return Object.freeze({ ...route, dead, deadByRouters, onTrial });
}

const servers = new WeakMap<Backend, string>();

/** Identifies the server of a backend: different spellings of one server give the same text. */
export function serverOf(backend: Backend): string {
  let server = servers.get(backend);
  if (server === undefined) {
    const { protocol, hostname, port, socketPath } = backend;
    server = socketPath === null ? `${protocol}${hostname}:${port}` : `${protocol}${socketPath}`;
    // Cached: it is used for each request, and an identical string is also found faster in maps.
    servers.set(backend, server);
  }
  return server;
}
