import { parseBackend } from './backend-url.ts';
import { bracketed } from './hostname.ts';
import { splitKey } from './prefixes.ts';
import { NO_SITE, type Site } from './site.ts';
import type { Backend, Route } from './types.ts';

/** What stands under one key, read once: the operator's name for it and the backends. */
export interface RouteList {
  readonly name: string;
  /** The backends whose URL can be used, in list order. */
  readonly backends: readonly Backend[];
  /** How many backends the list names, usable or not. */
  readonly size: number;
}

/** Whether there is a server to ask: the router answers for the others itself. */
export function isDialled({ protocol }: Backend): boolean {
  return protocol !== 'file:' && protocol !== 'redirect:';
}

/** Whether it speaks HTTP/2. */
export function isHttp2({ protocol }: Backend): boolean {
  return protocol === 'h2c:' || protocol === 'h2:';
}

/** Whether it is spoken to over TLS. */
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
  // Where a folder is, is nobody's business but the operator's.
  if (!isDialled(backend)) return `${backend.protocol}//`;
  // Not the protocol, which may be another by server.legacyScheme.
  const scheme = /^[a-z0-9]+:/i.exec(backend.href)?.[0].toLowerCase();
  if (backend.socketPath !== null) return `${scheme}//[unix:${backend.socketPath}]`;
  const written = AUTHORITY.exec(backend.href)?.[1];
  if (written !== undefined) return `${scheme}//${written}`;
  const host = bracketed(backend.hostname);
  return `${scheme}//${host}:${backend.port}`;
}

/** The path to ask a backend for, where the path of its URL counts: that, then the client's, both as they are. */
export function pathAt({ path }: Backend, requested: string): string {
  // `OPTIONS *` is about the server, wherever that is.
  return requested.startsWith('/') ? path + requested : requested;
}

/**
 * Reads a frontend's list: the identifier, then the backend URLs.
 * @param onFault told of each URL that cannot be used; its backend is left out
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

/** Which backends of a route are presumed dead: see Route. */
export type Marks = Pick<Route, 'dead' | 'deadByRouters'>;

const NONE: ReadonlySet<number> = new Set();

/** No backend is presumed dead. Shared, so that the common case allocates nothing. */
export const NO_MARKS: Marks = Object.freeze({ dead: NONE, deadByRouters: NONE });

/**
 * A route from a list that was read before.
 * @param frontend the host asked for, and the prefix
 * @param key what it matched, and the prefix: no host has a slash in it
 */
export function routeOf(
  frontend: string,
  key: string,
  list: RouteList,
  { dead, deadByRouters }: Marks,
  site: Site = NO_SITE,
): Route {
  const { name, backends, size } = list;
  const { prefix } = splitKey(key);
  return Object.freeze({ frontend, key, prefix, name, backends, size, dead, deadByRouters, site });
}

/** A route from what a store holds under a key: `readList` and `routeOf` in one. */
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
export function withMarks(route: Route, { dead, deadByRouters }: Marks): Route {
  return Object.freeze({ ...route, dead, deadByRouters });
}

const servers = new WeakMap<Backend, string>();

/** What connections to a backend are told apart by: two spellings of one server give the same. */
export function serverOf(backend: Backend): string {
  let server = servers.get(backend);
  if (server === undefined) {
    const { protocol, hostname, port, socketPath } = backend;
    server = socketPath === null ? `${protocol}${hostname}:${port}` : `${protocol}${socketPath}`;
    // Asked for with every request: the same string is found faster, too.
    servers.set(backend, server);
  }
  return server;
}
