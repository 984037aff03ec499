/**
 * Writes request heads for backends as text. The result is the same as from core/http/request-headers.ts, without
 * parsing every field.
 */
import { forwardedFields, type Peer } from '../core/http/forwarded.ts';
import { type RequestHeaderPolicy, requestHeaders } from '../core/http/request-headers.ts';
import type { Framing } from '../core/http/framing.ts';
import { joinTrace, NOTHING_RECEIVED, type Trace, traceparent } from '../core/trace-context.ts';
import { fieldLines, rawFields } from '../http1/field-lines.ts';
import type { ReadRequest } from './request-grammar.ts';
import { joinByLines } from './trace-lines.ts';

export interface WrittenHead {
  /** The whole head for the backend, latin1. */
  readonly text: string;
  readonly clientIp: string;
  /** Field lines to add to the response, unless the backend sends a request id of its own. */
  readonly responseFields: string;
  /** The trace that the head contains, for the first attempt; null without tracing. */
  readonly trace: Trace | null;
}

/** Methods for which Node's client sends no Content-Length when there is no body: see core/http/request-headers.ts. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);
/** Placeholder for the authority while the lines around it are made. No field value can contain it. */
const AUTHORITY = '\0';

/** Shared by all connections of a client: what is the same for all its requests is made once. */
export class HeadWriter {
  readonly #peer: Peer;
  readonly #policy: RequestHeaderPolicy;
  readonly #end: string;
  /**
   * The forwarded fields for a request that has none, before and after the authority; null where they do not contain
   * it.
   */
  readonly #before: string;
  readonly #after: string | null;

  /** @param isKeeping ask backends to keep their connections open */
  constructor(peer: Peer, policy: RequestHeaderPolicy, isKeeping: boolean) {
    this.#peer = peer;
    this.#policy = policy;
    this.#end = `Connection: ${isKeeping ? 'keep-alive' : 'close'}\r\n\r\n`;
    const none = { forwardedFor: [], kept: new Set<string>() };
    const lines = fieldLines(forwardedFields(policy, peer, peer.address, AUTHORITY, none));
    const at = lines.indexOf(AUTHORITY);
    this.#before = at < 0 ? lines : lines.slice(0, at);
    this.#after = at < 0 ? null : lines.slice(at + 1);
  }

  /** The client. */
  get peer(): Peer {
    return this.#peer;
  }

  /** @param request a plain one */
  write(request: ReadRequest): WrittenHead {
    const { fields } = request;
    if (fields === null) return this.#compose(request);
    const { trace } = this.#policy;
    if (trace === null) return this.#extend(request, fields, null);
    const { isTrusted } = this.#peer;
    if (!request.hasTrace) return this.#extend(request, fields, joinTrace(NOTHING_RECEIVED, isTrusted, trace));
    const joined = joinByLines(fields, isTrusted, trace);
    return this.#extend(request, joined.fields, joined.trace);
  }

  /** The usual case: lines are added, and none changed. */
  #extend({ method, target, host, framing }: ReadRequest, fields: string, trace: Trace | null): WrittenHead {
    let text = `${method} ${target} HTTP/1.1\r\n${fields}`;
    if (framing === 'none' && !BODILESS.has(method)) text += 'Content-Length: 0\r\n';
    text += this.#after === null ? this.#before : this.#before + host + this.#after;
    const { makeRequestId, tellsRequestId } = this.#policy;
    let responseFields = '';
    if (makeRequestId !== null) {
      const line = `X-Request-Id: ${makeRequestId()}\r\n`;
      text += line;
      if (tellsRequestId) responseFields = line;
    }
    text += traceLine(trace);
    return { text: text + this.#end, clientIp: this.#peer.address, responseFields, trace };
  }

  /** The general case: the request has fields that the router replaces or removes. */
  #compose(request: ReadRequest): WrittenHead {
    const { text, method, target, host } = request;
    const head = {
      method,
      version: '1.1',
      path: target,
      // Not used by requestHeaders().
      hostname: host,
      authority: host,
      framing: parsedFraming(request),
      isWebSocket: false,
      expectsContinue: false,
      isDebug: false,
    } as const;
    const outgoing = requestHeaders(head, rawFields(text), this.#peer, this.#policy);
    const { headers, clientIp, responseFields, trace } = outgoing;
    return {
      text: `${method} ${target} HTTP/1.1\r\n${fieldLines(headers)}${traceLine(trace)}${this.#end}`,
      clientIp,
      responseFields: fieldLines(responseFields),
      trace,
    };
  }
}

/** For attempt 0: there is no other in this lane. */
function traceLine(trace: Trace | null): string {
  return trace === null ? '' : `traceparent: ${traceparent(trace, 0)}\r\n`;
}

function parsedFraming({ framing, length }: ReadRequest): Framing {
  return framing === 'length' ? { kind: 'length', bytes: length } : { kind: framing };
}

/** Maximum number of cached writers. Load balancers are clients that come back. */
const MAX_WRITERS = 1_000;

/** A bounded cache of the writers of all clients. */
export class HeadWriters {
  readonly #policy: RequestHeaderPolicy;
  readonly #isKeeping: boolean;
  readonly #writers = new Map<string, HeadWriter>();

  /** @param isKeeping ask backends to keep their connections open */
  constructor(policy: RequestHeaderPolicy, isKeeping: boolean) {
    this.#policy = policy;
    this.#isKeeping = isKeeping;
  }

  of(peer: Peer): HeadWriter {
    // Not cached: the next client from the same address may have another certificate.
    if (peer.certificateFields !== undefined) return new HeadWriter(peer, this.#policy, this.#isKeeping);
    const key = `${peer.address} ${peer.localPort} ${peer.isTls} ${peer.isHttp2}`;
    let writer = this.#writers.get(key);
    if (writer === undefined) {
      if (this.#writers.size >= MAX_WRITERS) this.#writers.clear();
      writer = new HeadWriter(peer, this.#policy, this.#isKeeping);
      this.#writers.set(key, writer);
    }
    return writer;
  }
}
