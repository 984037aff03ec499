import { bracketed } from './hostname.ts';
import type { Backend, Route } from './types.ts';

const DEFAULT_PORT = { 'http:': 80, 'https:': 443, 'h2c:': 80, 'h2:': 443 } as const;

// What a name or an address can be made of. The URL parser lets ';' through, which would forge a field of an
// announcement on `dead`, and other signs that no name has.
const NAME = /^[a-z0-9._~-]+$/;

// As h2o writes it: http://[unix:/run/app.sock]/.
const SOCKET = /^([a-z][a-z0-9+.-]*:)\/\/\[unix:([^\]]*)\](.*)$/i;
// Neither ';', which would forge a field of an announcement, nor what needs quotes in a header or a log.
const SOCKET_PATH = /^\/[\w./~@%+=:-]+$/;
/** What the system has room for, bytes, the end of the text included: `sun_path` in unix(7). */
const MAX_SOCKET_PATH = 107;

/** One backend URL of a frontend's list, or why it cannot be used. */
export type ParsedBackend = { readonly backend: Backend } | { readonly fault: string };

/** What stands under one key, read once: the operator's name for it and the backends. */
export interface RouteList {
  readonly name: string;
  /** The backends whose URL can be used, in list order. */
  readonly backends: readonly Backend[];
  /** How many backends the list names, usable or not. */
  readonly size: number;
}

/**
 * Reads a backend URL: `http://host:port`, `https:`, `h2c:` or `h2:` likewise, or `http://[unix:/path]`. The port defaults to the scheme's.
 * White space around it is forgiven: it comes from shells and editors, and means nothing.
 * @param id its place in the list
 */
export function parseBackend(text: string, id: number): ParsedBackend {
  const href = text.trim();
  const socket = SOCKET.exec(href);
  if (socket !== null) return parseSocket(href, id, socket);
  const http2 = /^h2c?:/i.exec(href)?.[0];
  let url: URL;
  try {
    // The parser reads hosts and ports only of schemes that it knows.
    url = new URL(http2 === undefined ? href : `http:${href.slice(http2.length)}`);
  } catch {
    return { fault: 'not a URL' };
  }
  const protocol = http2?.toLowerCase() ?? url.protocol;
  if (!isProtocol(protocol)) return { fault: `unknown scheme "${protocol}"` };
  // A URL without "//" parses, and names a host nobody meant.
  if (!href.slice(protocol.length).startsWith('//')) return { fault: 'no "//" after the scheme' };
  const isBracketed = url.hostname.startsWith('[');
  const hostname = isBracketed ? url.hostname.slice(1, -1) : url.hostname;
  if (hostname === '') return { fault: 'no host' };
  if (!isBracketed && !NAME.test(hostname)) return { fault: `no such host can be: "${hostname}"` };
  const port = url.port === '' ? portOf(protocol, href) : Number(url.port);
  if (port === 0) return { fault: 'port 0' };
  const path = basePath(url.pathname);
  return { backend: Object.freeze({ id, href, protocol, hostname, port, socketPath: null, path }) };
}

function parseSocket(
  href: string,
  id: number,
  [, scheme = '', socketPath = '', rest = '']: RegExpExecArray,
): ParsedBackend {
  const protocol = scheme.toLowerCase();
  if (!isProtocol(protocol)) return { fault: `unknown scheme "${protocol}"` };
  if (protocol === 'https:' || protocol === 'h2:') return { fault: 'TLS needs a host, and this is a socket' };
  if (!SOCKET_PATH.test(socketPath)) return { fault: 'no absolute path of plain characters after "unix:"' };
  if (socketPath.length > MAX_SOCKET_PATH) return { fault: `a socket's path of more than ${MAX_SOCKET_PATH} bytes` };
  // A port would have no meaning.
  if (!/^(?:[/?#]|$)/.test(rest)) return { fault: 'nothing but a path may follow the socket' };
  const path = basePath(new URL(`http://socket${rest}`).pathname);
  return { backend: Object.freeze({ id, href, protocol, hostname: '', port: 0, socketPath, path }) };
}

/** The port where the parser gives none: the scheme's, unless it left out an 80, which is http's. */
function portOf(protocol: Backend['protocol'], href: string): number {
  if (protocol === 'h2:' && /^h2:\/\/[^/?#]*:0*80(?:[/?#]|$)/i.test(href)) return 80;
  return DEFAULT_PORT[protocol];
}

function isProtocol(text: string): text is Backend['protocol'] {
  return Object.hasOwn(DEFAULT_PORT, text);
}

/** Whether it speaks HTTP/2. */
export function isHttp2({ protocol }: Backend): boolean {
  return protocol === 'h2c:' || protocol === 'h2:';
}

/** Whether it is spoken to over TLS. */
export function isTls({ protocol }: Backend): boolean {
  return protocol === 'https:' || protocol === 'h2:';
}

/** A URL's path as a request's can be appended to it: they begin with a slash. */
function basePath(pathname: string): string {
  return pathname.replace(/\/{2,}/g, '/').replace(/\/$/, '');
}

const AUTHORITY = /^(?:https?|h2c?):\/\/(?:[^/?#\\]*@)?((?:[\w.~-]+|\[[0-9a-f:.]+\])(?::[0-9]*)?)(?:[/?#\\]|$)/i;

/**
 * The backend as hipache-hchecker and `x-debug-backend-url` name it: scheme, host and port, nothing after.
 * Host and port are spelled as the operator did: hipache-hchecker checks a backend only when `scheme://host` of what
 * was announced equals the list's element, so `http://10.0.0.1` must not become `http://10.0.0.1:80`. A user and
 * password are left out; a socket is named by its path. Where the spelling is odd (escapes, letters beyond ASCII), host and port as they are dialled.
 */
export function originOf(backend: Backend): string {
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

/**
 * A route from a list that was read before.
 * @param frontend the host asked for
 * @param key what it matched
 * @param dead ids presumed dead
 */
export function routeOf(frontend: string, key: string, list: RouteList, dead: ReadonlySet<number>): Route {
  const { name, backends, size } = list;
  return Object.freeze({ frontend, key, name, backends, size, dead });
}

/** A route from what a store holds under a key: `readList` and `routeOf` in one. */
export function buildRoute(
  frontend: string,
  key: string,
  list: readonly string[],
  dead: ReadonlySet<number>,
  onFault: (href: string, fault: string) => void,
): Route {
  return routeOf(frontend, key, readList(list, onFault), dead);
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
