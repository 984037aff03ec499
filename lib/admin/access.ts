/** Who may ask the admin interface what. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { trimmed } from '../core/http/white-space.ts';
import { Refusal } from './reply.ts';

/**
 * What load balancers and orchestrators ask, under whatever name or none (HTTP/1.0). The answers hold nothing that a
 * stranger may not read.
 */
const PROBES = new Set(['/healthz', '/readyz']);
/** What a browser may load without a token. */
const PAGE = '/';
/** How a WebSocket of a browser brings a token, which can send no Authorization there. */
const TOKEN_PROTOCOL = 'hipache.token.';

export interface AccessRules {
  /** Null where none but this machine can ask. */
  readonly token: string | null;
  /** Whether requests come by a Unix socket, whose rights say who may connect. */
  readonly isSocket: boolean;
}

/** @throws Refusal for a request that is not to be answered */
export function checkAccess(path: string, headers: IncomingHttpHeaders, { token, isSocket }: AccessRules): void {
  if (PROBES.has(path)) return;
  if (isForeign(headers)) throw new Refusal(403, 'foreign-origin', 'a page of another site may not ask here');
  // Another site's name may lead here (DNS rebinding): then the browser takes its pages for ours.
  if (token === null && !isSocket && !isLocalName(headers.host ?? ''))
    throw new Refusal(403, 'foreign-host', 'ask by an IP address or by localhost, or have a token');
  if (token === null || path === PAGE) return;
  const shown = shownToken(headers);
  if (shown === null || !isSame(shown, token))
    throw new Refusal(401, 'token', shown === null ? 'a token is needed' : 'the token is wrong', {
      'WWW-Authenticate': 'Bearer realm="hipache"',
    });
}

function isForeign({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (origin !== undefined) return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase();
  return site === 'cross-site';
}

function isLocalName(host: string): boolean {
  const name = host.replace(/:[0-9]*$/, '').toLowerCase();
  return name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

function shownToken({
  authorization = '',
  'sec-websocket-protocol': protocols = '',
}: IncomingHttpHeaders): string | null {
  const [, bearer] = /^bearer +(\S+) *$/i.exec(authorization) ?? [];
  if (bearer !== undefined) return bearer;
  const offered = protocols.split(',').map((protocol) => trimmed(protocol));
  const encoded = offered.find((protocol) => protocol.startsWith(TOKEN_PROTOCOL));
  return encoded === undefined ? null : Buffer.from(encoded.slice(TOKEN_PROTOCOL.length), 'base64url').toString();
}

/** Takes as long for any two texts. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
