import { ClientRequest, type InformationEvent } from 'node:http';
import { endsByClose, hasBody } from '../core/http/framing.ts';
import { isStreamingType } from '../core/http/streaming-type.ts';
import type { BufferRule } from '../core/routing/site.ts';
import { isTooLarge } from '../core/http/http2-fields.ts';
import { interimFields } from '../core/http/interim-fields.ts';
import type { ConnectionSlot } from '../backends/slots/backend-slots.ts';
import { responseHeaders } from '../core/http/response-headers.ts';
import { trailerFields } from '../core/http/trailers.ts';
import type { AttemptParts } from './parts.ts';
import type { PacedFlow } from '../rates/paced-flow.ts';
import type { BackendResponse, BackendRequest } from '../backends/backend-request.ts';
import { BackendStream } from '../backends/http1/backend-stream.ts';
import { debugHeaders } from './debug-headers.ts';
import type { Exchange } from './exchange.ts';
import { PacedResponse, type ResponseSource } from './paced-response.ts';
import { passRemainder } from './body-remainder.ts';
import { adapted } from './site-fields.ts';
import { isSlowed, openFlow } from './slow-flow.ts';

// RFC 9112 §4: a reason phrase is made of tabs, spaces, visible characters and obs-text.
// oxlint-disable-next-line no-control-regex -- the tab is one of them
const REASON = /^[\t -~\u0080-\u00ff]*$/;

/**
 * Relays a backend's response to the client at the pace of the slower side; a part is held in memory.
 * @param slot the backend's
 * @returns null when it has begun; otherwise why it cannot be passed on, and nothing was written
 */
export function relayResponse(
  exchange: Exchange,
  out: BackendRequest,
  backendResponse: BackendResponse,
  parts: AttemptParts,
  slot: ConnectionSlot,
): string | null {
  const { isDraining, hasBackendPath } = parts;
  const { method, response, head } = exchange;
  const status = backendResponse.statusCode ?? 0;
  const reason = backendResponse.statusMessage ?? '';
  if (backendResponse.httpVersionMajor !== 1) return `a response in HTTP/${backendResponse.httpVersion}`;
  if (status < 200 || status > 999) return `a response with status ${status}`;
  if (!REASON.test(reason)) return 'a control character in the reason phrase';
  const relayed = responseHeaders({
    status,
    rawHeaders: backendResponse.rawHeaders,
    toHead: method === 'HEAD',
    clientVersion: head?.version ?? '1.1',
  });
  if (typeof relayed === 'string') return relayed;

  const { framing } = relayed;
  const headers = adapted(exchange, relayed.headers, hasBackendPath);
  if (exchange.peer.isHttp2 && isTooLarge(headers) && !isTooLarge(relayed.headers)) {
    return 'a head that is too large with the fields of its site';
  }
  if (exchange.cookie !== null) headers.push('Set-Cookie', exchange.cookie);
  // A backend's own request id is passed on instead.
  if (!('x-request-id' in backendResponse.headers)) headers.push(...(exchange.outgoing?.responseFields ?? []));
  if (head?.isDebug) headers.push(...debugHeaders(exchange));
  if (isDraining() || exchange.upgrade) headers.push('Connection', 'close');
  exchange.status = status;
  response.writeHead(status, reason, headers);

  let isHeadSent = false;
  const isBodiless = framing?.kind === 'none';
  const source = {
    pause: () => backendResponse.pause(),
    resume: () => backendResponse.resume(),
    destroy: () => out.destroy(),
  };
  const flow =
    isBodiless || !isSlowed(exchange)
      ? null
      : openFlow(exchange, parts, { ...source, pass: (bytes) => paced.write(bytes) }, relayed.headers);
  // What is slowed down is not held in a file: its backend waits.
  const overflow = flow === null ? mayOverflow(exchange, backendResponse) : null;
  const paced = new PacedResponse(exchange, parts, slot, overflow, flow === null ? source : heldBack(flow, source));

  backendResponse.on('data', (chunk: Buffer) => {
    if (isBodiless) return;
    isHeadSent = true;
    exchange.bytesSent += chunk.length;
    if (flow === null) paced.write(chunk);
    else flow.write(chunk);
  });
  const finish = (): void =>
    paced.end(() => {
      const trailers = framing?.kind === 'chunked' ? trailerFields(backendResponse.rawTrailers) : [];
      if (trailers.length > 0) response.addTrailers(trailers);
      response.end();
    });
  const breakOff = cutter(exchange, out, parts);
  backendResponse.once('end', () => {
    if (isBrokenOff(out)) return breakOff(null);
    isHeadSent = true;
    exchange.onInterrupt = null;
    if (head === null || !hasBody(head.framing) || exchange.body.isRead) {
      exchange.body.stop();
    } else {
      // A client that waits for a 100 and gets the response instead may never send the body.
      if (head?.expectsContinue && !exchange.hasContinued && exchange.body.bytes === 0) out.destroy();
      passRemainder(exchange, { out, slot }, parts);
    }
    if (flow === null) finish();
    else flow.end(finish);
  });
  // A backend cut mid-body would leave the client waiting for the rest, or with a partial body that looks whole.
  backendResponse.once('error', breakOff);
  exchange.onInterrupt = () => out.destroy();
  void exchange.ended.then(() => {
    paced.stop();
    if (!backendResponse.complete) out.destroy();
  });
  // If no byte of the body has come, the head is sent alone: event streams may be silent for a long time.
  setImmediate(() => {
    if (!isHeadSent && !response.destroyed) response.flushHeaders();
  });
  return null;
}

/** The site's rule if what its client has not read of this response may be held in a file; else null. */
function mayOverflow({ route }: Exchange, { headers }: BackendResponse): BufferRule | null {
  const rule = route?.site.buffer ?? null;
  if (rule === null || !rule.response) return null;
  // As nginx has it: an application that streams can say so.
  if (headers['x-accel-buffering'] === 'no' || isStreamingType(headers['content-type'])) return null;
  return rule;
}

/** The source of a response that is slowed down: a client that reads nothing stops the flow. */
function heldBack(flow: PacedFlow, source: ResponseSource): ResponseSource {
  return { pause: () => flow.block(), resume: () => flow.unblock(), destroy: () => source.destroy() };
}

/**
 * Returns a function that cuts the client off when the backend breaks the response off. Its argument is Node's error,
 * if any.
 */
function cutter(
  exchange: Exchange,
  out: BackendRequest,
  parts: AttemptParts,
): (error: NodeJS.ErrnoException | null) => void {
  let cause: Error | null = null;
  // The response's own error from Node has no cause.
  out.once('error', (error: Error) => (cause = error));
  return (error) => {
    const hasReason = error !== null && error.message !== 'aborted';
    const why = cause ?? (hasReason ? error : new Error('the backend closed the connection'));
    // Not reported if the client has left.
    if (!exchange.isEnded && exchange.interruption === null) parts.onResponseCut(why, exchange);
    exchange.cut();
  };
}

function isBrokenOff(out: BackendRequest): boolean {
  const wire: unknown = out instanceof ClientRequest ? out.socket : null;
  return wire instanceof BackendStream && wire.isBrokenOff;
}

/** Relays a 1xx response (RFC 9110 §15.2): never to HTTP/1.0, and a 100 only to a client that waits for it. */
export function relayInformation(exchange: Exchange, information: InformationEvent): void {
  const { response, head } = exchange;
  if (head?.version !== '1.1' || exchange.isResponding) return;
  const { statusCode, statusMessage, rawHeaders } = information;
  if (statusCode === 100) {
    if (!head.expectsContinue) return;
    exchange.hasContinued = true;
    response.writeContinue();
    return;
  }
  // The response to a pipelined request has no socket before its turn. A 1xx is dropped then, and also for a client that
  // does not read.
  const { socket } = response;
  if (socket === null || socket.writableNeedDrain || !REASON.test(statusMessage)) return;
  const fields = interimFields(rawHeaders);
  let text = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  socket.write(`${text}\r\n`, 'latin1');
}

/** Decides whether the backend's connection may serve a next request, where Node would decide wrongly. */
export function decideReuse(
  { method, head, body }: Exchange,
  out: BackendRequest,
  { statusCode = 0, headers }: BackendResponse,
  { pools }: AttemptParts,
): void {
  if (!(out instanceof ClientRequest)) return;
  const isFramed = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (method === 'HEAD' && endsByClose(statusCode, isFramed)) out.shouldKeepAlive = false;
  if (isFramed && head !== null && hasBody(head.framing) && !body.isRead) pools.keepUntilSent(out);
}
