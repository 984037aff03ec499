import { isClientCertificateField } from './client-certificate.ts';
import { aliasedName } from './field-alias.ts';
import { clientAddress, type ForwardedPolicy, forwardedFields, isForwardedField, type Peer } from './forwarded.ts';
import type { Framing } from './framing.ts';
import { hopByHop } from './hop-by-hop.ts';
import type { RequestHead } from './request-head.ts';
import { joinTrace, type ReceivedTrace, type Trace, type TracePolicy } from '../trace-context.ts';

/** The header section for the backend, and the client. */
export interface OutgoingRequest {
  /** Names and values in turn; order, case and duplicates as the client sent them. */
  readonly headers: readonly string[];
  readonly clientIp: string;
  /** As received from a trusted peer, or made; null when ids are off. */
  readonly requestId: string | null;
  /** Fields to add to every response, names and values in turn. */
  readonly responseFields: readonly string[];
  /** The trace; each attempt gets its own traceparent. Null without tracing. */
  readonly trace: Trace | null;
}

export interface RequestHeaderPolicy extends ForwardedPolicy {
  /** Makes a request id; null where ids are off. */
  readonly makeRequestId: (() => string) | null;
  /** Whether the id is also sent to the client. */
  readonly tellsRequestId: boolean;
  /** Null without tracing: trace fields are then passed on unchanged. */
  readonly trace: TracePolicy | null;
}

const NONE: ReadonlySet<string> = new Set();
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);
const REQUEST_ID = /^[\w.+/=-]{1,200}$/;
/** Node's client adds chunked framing to a request without any, unless its method is one of these. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/**
 * The header section for the backend: what the client sent, less the hop-by-hop fields and what it may not claim,
 * framed by what was parsed rather than by a copied field.
 * @param begun the part in a trace that the request has already; it is not begun twice
 */
export function requestHeaders(
  head: RequestHead,
  rawHeaders: readonly string[],
  peer: Peer,
  policy: RequestHeaderPolicy,
  begun: Trace | null = null,
): OutgoingRequest {
  const dropped = hopByHop(rawHeaders);
  const trace = policy.trace && (begun ?? joinTrace(receivedTrace(rawHeaders, dropped), peer.isTrusted, policy.trace));
  const believed = policy.style === 'hipache' || peer.isTrusted;
  const headers: string[] = [];
  const forwardedFor: string[] = [];
  const kept = new Set<string>();
  let requestId: string | null = null;
  let isFramed = false;
  let isExpecting = false;
  let hasHost = false;

  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (dropped.has(lower)) continue;
    switch (lower) {
      case 'host':
        headers.push(name, head.authority);
        hasHost = true;
        continue;
      case 'content-length':
      case 'transfer-encoding':
        // A length of 0 on a handshake: by HTTP/2 it would say that nothing comes of the tunnel (RFC 9113 §8.5).
        if (head.isWebSocket) continue;
        isFramed ||= pushFraming(headers, name, head.framing);
        continue;
      case 'trailer':
        // A trailer section needs chunked framing; without it, Node's client throws on the field.
        if (head.framing.kind === 'chunked') headers.push(name, value);
        continue;
      case 'expect':
        if (head.expectsContinue && !isExpecting) headers.push(name, '100-continue');
        isExpecting = true;
        continue;
      case 'x-request-id':
        if (policy.makeRequestId === null) headers.push(name, value);
        else if (peer.isTrusted && REQUEST_ID.test(value)) requestId ??= value;
        continue;
      // CGI programs, and HTTP clients that are used in them, take it for HTTP_PROXY, their own proxy (CVE-2016-5385).
      case 'proxy':
        continue;
      case 'traceparent':
        if (trace === null) headers.push(name, value);
        continue;
      case 'tracestate':
        // It belongs to the trace that was received.
        if (trace === null || trace.parentId !== null) headers.push(name, value);
        continue;
    }
    const known = aliasedName(lower);
    const isAlias = known !== lower;
    if (isAlias && (FRAMING.has(known) || (known === 'x-request-id' && policy.makeRequestId !== null))) continue;
    // Removed from all requests: only the router itself verifies certificates.
    if (isClientCertificateField(known)) continue;
    if (isForwardedField(known)) {
      if (!believed || isAlias) continue;
      if (lower === 'x-forwarded-for') {
        forwardedFor.push(value);
        if (policy.style === 'standard') continue;
      }
      kept.add(lower);
    }
    headers.push(name, value);
  }

  // HTTP/1.0 needs none where the target names it.
  if (!hasHost) headers.unshift('Host', head.authority);
  if (!isFramed && head.framing.kind === 'none' && !BODILESS.has(head.method)) headers.push('Content-Length', '0');
  const clientIp = clientAddress(peer, forwardedFor, policy.isTrusted);
  headers.push(...forwardedFields(policy, peer, clientIp, head.authority, { forwardedFor, kept }));
  if (policy.makeRequestId !== null) {
    requestId ??= policy.makeRequestId();
    headers.push('X-Request-Id', requestId);
  }
  if (head.isWebSocket) headers.push('Connection', 'Upgrade', 'Upgrade', 'websocket');
  const responseFields = requestId !== null && policy.tellsRequestId ? ['X-Request-Id', requestId] : [];
  return { headers, clientIp, requestId, responseFields, trace };
}

/** The trace fields of a request. @param dropped lower-case names that are ignored */
export function receivedTrace(rawHeaders: readonly string[], dropped: ReadonlySet<string> = NONE): ReceivedTrace {
  const parents: string[] = [];
  const states: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const { length } = rawHeaders[i] ?? '';
    if (length !== 10 && length !== 11) continue;
    const lower = (rawHeaders[i] ?? '').toLowerCase();
    if (dropped.has(lower)) continue;
    if (lower === 'traceparent') parents.push(rawHeaders[i + 1] ?? '');
    else if (lower === 'tracestate') states.push(rawHeaders[i + 1] ?? '');
  }
  return { parents, states };
}

/** Writes the framing as parsed where the client's own field stood. Returns whether framing was written. */
function pushFraming(headers: string[], name: string, framing: Framing): boolean {
  switch (framing.kind) {
    case 'none':
      return false;
    case 'length':
      headers.push(name, String(framing.bytes));
      return true;
    case 'chunked':
      headers.push(name, 'chunked');
      return true;
  }
}
