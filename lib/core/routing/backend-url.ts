/** From an entry of a frontend's list to a Backend. Pure. */
import { hostOf } from './hostname.ts';
import { type RedirectTarget, redirectStatusOf } from './redirect.ts';

/** One server of a frontend, or something that the router itself serves. */
export interface Backend {
  /** Its index in the frontend's list. `dead:<host>` contains it, so it is public. */
  readonly id: number;
  /** The URL as the operator wrote it, white space trimmed. */
  readonly href: string;
  /**
   * `h2c:` is HTTP/2 in the clear, `h2:` the same over TLS. `file:` is a folder of this machine, and `redirect:` another
   * address that clients are sent to: both are answered by the router.
   */
  readonly protocol: 'http:' | 'https:' | 'h2c:' | 'h2:' | 'file:' | 'redirect:';
  /** A name or an address; IPv6 without brackets. Empty if it is not a server, and for a socket. */
  readonly hostname: string;
  /** 0 without a hostname. */
  readonly port: number;
  /** The path of a Unix socket, absolute; null where there is a host. */
  readonly socketPath: string | null;
  /**
   * The URL's path without a trailing slash, or "": prepended to requests' paths with `server.backendPath`. For
   * `file:`, the folder.
   */
  readonly path: string;
  /** Where clients are sent; null for all but `redirect:`. */
  readonly redirect: RedirectTarget | null;
}

const DEFAULT_PORT = { 'http:': 80, 'https:': 443, 'h2c:': 80, 'h2:': 443 } as const;

/** Schemes of servers. */
type Dialled = keyof typeof DEFAULT_PORT;

// What a name or an address can be made of. The URL parser lets ';' through, which would forge a field of an
// announcement on `dead`, and other signs that no name has.
const NAME = /^[a-z0-9._~-]+$/;

// As h2o writes it: http://[unix:/run/app.sock]/.
const SOCKET = /^([a-z][a-z0-9+.-]*:)\/\/\[unix:([^\]]*)\](.*)$/i;
// Neither ';', which would forge a field of an announcement, nor what needs quotes in a header or a log.
const SOCKET_PATH = /^\/[\w./~@%+=:-]+$/;
/** Maximum length of `sun_path` in unix(7), bytes, without the terminating null byte. */
const MAX_SOCKET_PATH = 107;

// Another address that clients are sent to, and perhaps how: redirect://www.example.com/ 301.
const REDIRECT = /^redirect(?:\+(https?))?:\/\/([^/?#\s]+)(\/[!"$->@-~]*)?(?:\s+(\S+))?$/i;

/** One backend URL of a frontend's list, or why it cannot be used. */
export type ParsedBackend = { readonly backend: Backend } | { readonly fault: string };

/**
 * Parses a backend URL: `http://host:port`, and `https:`, `h2c:` or `h2:` likewise, or `http://[unix:/path]`. The
 * port defaults to the scheme's. Or an entry that the router itself serves: `file:///folder`, `redirect://host/path
 * 301`. Surrounding white space, which comes from shells and editors, is ignored.
 * @param id its index in the list
 */
export function parseBackend(text: string, id: number): ParsedBackend {
  const href = text.trim();
  const socket = SOCKET.exec(href);
  if (socket !== null) return parseSocket(href, id, socket);
  if (/^redirect\b/i.test(href)) return parseRedirect(href, id);
  if (/^file:/i.test(href)) return parseFolder(href, id);
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
  // A URL without "//" would be parsed, with an unintended host.
  if (!href.slice(protocol.length).startsWith('//')) return { fault: 'no "//" after the scheme' };
  const isBracketed = url.hostname.startsWith('[');
  const hostname = isBracketed ? url.hostname.slice(1, -1) : url.hostname;
  if (hostname === '') return { fault: 'no host' };
  if (!isBracketed && !NAME.test(hostname)) return { fault: `no such host can be: "${hostname}"` };
  const port = url.port === '' ? portOf(protocol, href) : Number(url.port);
  if (port === 0) return { fault: 'port 0' };
  const path = basePath(url.pathname);
  return made({ id, href, protocol, hostname, port, path });
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
  return made({ id, href, protocol, socketPath, path });
}

function parseRedirect(href: string, id: number): ParsedBackend {
  const [all, scheme, authority = '', path = '/', code] = REDIRECT.exec(href) ?? [];
  if (all === undefined) return { fault: 'it is redirect://host/path, perhaps with a space and a status' };
  if (hostOf(authority) === null) return { fault: `no such host can be: "${authority}"` };
  const status = code === undefined ? null : redirectStatusOf(code);
  if (code !== undefined && status === null) return { fault: `"${code}" is no status that redirects` };
  const target = { scheme: scheme === undefined ? null : schemeOf(scheme), authority, path, status };
  return made({ id, href, protocol: 'redirect:', redirect: Object.freeze(target) });
}

function schemeOf(text: string): 'http' | 'https' {
  return text.toLowerCase() === 'https' ? 'https' : 'http';
}

// The lookbehind avoids quadratic time on many slashes.
const TRAILING_SLASHES = /(?<!\/)\/+$/;

function parseFolder(href: string, id: number): ParsedBackend {
  let folder: string;
  try {
    const { hostname, pathname, search, hash } = new URL(href);
    if (hostname !== '') return { fault: 'a folder of another machine: it is file:///path' };
    if (search !== '' || hash !== '') return { fault: '"?" and "#" are written %3F and %23 in a path' };
    folder = decodeURIComponent(pathname);
  } catch {
    return { fault: 'not a URL' };
  }
  if (!/^file:\/\/\/[^/]/i.test(href) || folder.includes('\0'))
    return { fault: 'it is file:///path, an absolute path' };
  return made({ id, href, protocol: 'file:', path: folder.replace(TRAILING_SLASHES, '') });
}

function made(parts: Pick<Backend, 'id' | 'href' | 'protocol'> & Partial<Backend>): ParsedBackend {
  const nobody = { hostname: '', port: 0, socketPath: null, path: '', redirect: null };
  return { backend: Object.freeze({ ...nobody, ...parts }) };
}

/** The port where the parser gives none: the scheme's, unless it left out an 80, which is http's. */
function portOf(protocol: Dialled, href: string): number {
  if (protocol === 'h2:' && /^h2:\/\/[^/?#]*:0*80(?:[/?#]|$)/i.test(href)) return 80;
  return DEFAULT_PORT[protocol];
}

function isProtocol(text: string): text is Dialled {
  return Object.hasOwn(DEFAULT_PORT, text);
}

/** A URL's path as a request's can be appended to it: they begin with a slash. */
function basePath(pathname: string): string {
  return pathname.replace(/\/{2,}/g, '/').replace(/\/$/, '');
}
