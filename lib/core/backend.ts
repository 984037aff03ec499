import type { Backend, Route } from './types.ts';

const DEFAULT_PORT = { 'http:': 80, 'https:': 443 } as const;

/** One backend URL of a frontend's list, or why it cannot be used. The path of the URL is ignored, as Hipache does. */
export type ParsedBackend = { readonly backend: Backend } | { readonly fault: string };

/**
 * Reads a backend URL, `http://host:port` or `https://host:port`. The port defaults to the scheme's.
 * White space around it is forgiven: it comes from shells and editors, and means nothing.
 * @param id its place in the list
 */
export function parseBackend(text: string, id: number): ParsedBackend {
  const href = text.trim();
  let url: URL;
  try {
    url = new URL(href);
  } catch {
    return { fault: 'not a URL' };
  }
  const { protocol } = url;
  if (protocol !== 'http:' && protocol !== 'https:') return { fault: `unknown scheme "${protocol}"` };
  // A URL without "//" parses, and names a host nobody meant.
  if (!href.slice(protocol.length).startsWith('//')) return { fault: 'no "//" after the scheme' };
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  if (hostname === '') return { fault: 'no host' };
  const port = url.port === '' ? DEFAULT_PORT[protocol] : Number(url.port);
  if (port === 0) return { fault: 'port 0' };
  return { backend: Object.freeze({ id, href, protocol, hostname, port }) };
}

/** The backend as hipache-hchecker and `x-debug-backend-url` name it: scheme, host and port, nothing after. */
export function originOf(backend: Backend): string {
  const host = backend.hostname.includes(':') ? `[${backend.hostname}]` : backend.hostname;
  return `${backend.protocol}//${host}:${backend.port}`;
}

/**
 * A route from what a store holds under a key.
 * @param list the identifier, then the backend URLs
 * @param dead ids presumed dead
 * @param onFault told of each URL that cannot be used; its backend is left out
 */
export function buildRoute(
  frontend: string,
  key: string,
  list: readonly string[],
  dead: ReadonlySet<number>,
  onFault: (href: string, fault: string) => void,
): Route {
  const backends: Backend[] = [];
  for (let i = 1; i < list.length; i++) {
    const href = list[i] ?? '';
    const parsed = parseBackend(href, i - 1);
    if ('backend' in parsed) backends.push(parsed.backend);
    else onFault(href, parsed.fault);
  }
  return Object.freeze({
    frontend,
    key,
    name: list[0] ?? '',
    backends: Object.freeze(backends),
    size: list.length - 1,
    dead,
  });
}
