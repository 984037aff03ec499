/** Decides which requests the admin interface accepts. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { trimmed } from '../core/http/white-space.ts';
import { Refusal } from './reply.ts';

/**
 * Probes of load balancers and orchestrators are accepted with any Host, or none (HTTP/1.0). Their responses have
 * nothing secret.
 */
const PROBES = new Set(['/healthz', '/readyz']);
/** A browser may load the page without a token. */
const PAGE = '/';
/** A browser cannot send Authorization with a WebSocket, so the token is in the subprotocol with this prefix. */
const TOKEN_PROTOCOL = 'hipache.token.';

/** What decides whether a request is accepted. */
export interface AccessRules {
  /** Null where only this machine can connect. */
  readonly token: string | null;
  /** Whether the request came by a Unix socket, whose file mode decides who may connect. */
  readonly isSocket: boolean;
}

/** @throws Refusal for a request that is not accepted */
export function checkAccess(path: string, headers: IncomingHttpHeaders, { token, isSocket }: AccessRules): void {
  if (PROBES.has(path)) return;
  if (isForeign(headers)) throw new Refusal(403, 'foreign-origin', 'pages of other sites may not use this interface');
  // Another site's name may resolve to this address (DNS rebinding); the browser would then let that site read
  // responses.
  if (token === null && !isSocket && !isLocalName(headers.host ?? ''))
    throw new Refusal(403, 'foreign-host', 'use an IP address or localhost in the URL, or send a token');
  if (token === null || path === PAGE) return;
  const shown = shownToken(headers);
  if (shown === null || !isSame(shown, token))
    throw new Refusal(401, 'token', shown === null ? 'a token is required' : 'the token is wrong', {
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

/** Compares in constant time. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
