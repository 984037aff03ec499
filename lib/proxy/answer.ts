import type { InformationEvent } from 'node:http';
import { hopByHop } from '../core/hop-by-hop.ts';
import { responseHeaders } from '../core/response-headers.ts';
import { trailerFields } from '../core/trailers.ts';
import { Alarm } from './alarms.ts';
import type { AttemptParts } from './attempt.ts';
import type { BackendAnswer, BackendRequest } from './backend-request.ts';
import { debugHeaders } from './debug-headers.ts';
import { discardBody } from './discard.ts';
import type { Exchange } from './exchange.ts';
import { adapted } from './site-fields.ts';

// RFC 9112 §4: a reason phrase is made of tabs, spaces, visible characters and obs-text.
// oxlint-disable-next-line no-control-regex -- the tab is one of them
const REASON = /^[\t -~\u0080-\u00ff]*$/;

/**
 * Passes a backend's answer on to the client as it comes, at the pace of the slower side.
 * @returns null when it is under way; otherwise why it cannot be passed on, and nothing was written
 */
export function relayAnswer(
  exchange: Exchange,
  out: BackendRequest,
  answer: BackendAnswer,
  { clock, limits, isDraining, hasBackendPath }: AttemptParts,
): string | null {
  const { request, response, head } = exchange;
  const status = answer.statusCode ?? 0;
  const reason = answer.statusMessage ?? '';
  if (answer.httpVersionMajor !== 1) return `an answer in HTTP/${answer.httpVersion}`;
  if (status < 200 || status > 999) return `an answer with status ${status}`;
  if (!REASON.test(reason)) return 'a control character in the reason phrase';
  const relayed = responseHeaders({
    status,
    version: answer.httpVersion,
    rawHeaders: answer.rawHeaders,
    toHead: request.method === 'HEAD',
    clientVersion: head?.version ?? '1.1',
  });
  if (typeof relayed === 'string') return relayed;

  const { framing } = relayed;
  const headers = adapted(exchange, relayed.headers, hasBackendPath);
  // A backend that answers with an id of its own has told the client already.
  if (!('x-request-id' in answer.headers)) headers.push(...(exchange.outgoing?.answerFields ?? []));
  if (head?.isDebug) headers.push(...debugHeaders(exchange));
  if (isDraining() || exchange.upgrade) headers.push('Connection', 'close');
  exchange.status = status;
  response.writeHead(status, reason, headers);

  let isHeadSent = false;
  const alarm = new Alarm(() => {
    out.destroy();
    exchange.cut();
  });
  const isBodiless = framing?.kind === 'none';

  answer.on('data', (chunk: Buffer) => {
    if (isBodiless) return;
    isHeadSent = true;
    exchange.bytesSent += chunk.length;
    clock.set(alarm, limits.responseMs);
    if (!response.write(chunk)) answer.pause();
  });
  response.on('drain', () => {
    clock.set(alarm, limits.responseMs);
    answer.resume();
  });
  answer.once('end', () => {
    isHeadSent = true;
    exchange.onInterrupt = null;
    const trailers = framing?.kind === 'chunked' ? trailerFields(answer.rawTrailers) : [];
    if (trailers.length > 0) response.addTrailers(trailers);
    response.end();
    exchange.body.stop();
    if (head?.framing.kind !== 'none' && !exchange.body.isRead) {
      // It answered before it had read everything, and will not read the rest.
      out.destroy();
      discardBody(request, clock, limits.bodyMs);
    }
  });
  // A backend cut mid-body would leave the client waiting for the rest, or believing it has it all.
  answer.once('error', () => exchange.cut());
  exchange.onInterrupt = () => out.destroy();
  void exchange.ended.then(() => {
    clock.clear(alarm);
    if (!answer.complete) out.destroy();
  });
  clock.set(alarm, limits.responseMs);
  // With no byte of the body at hand, the head goes ahead: event streams may say nothing for a long time.
  setImmediate(() => {
    if (!isHeadSent && !response.destroyed) response.flushHeaders();
  });
  return null;
}

/** Passes a 1xx on (RFC 9110 §15.2): never to HTTP/1.0, and 100 only to a client that waits for it. */
export function relayInformation(exchange: Exchange, information: InformationEvent): void {
  const { response, head } = exchange;
  if (head?.version !== '1.1' || exchange.isAnswered) return;
  const { statusCode, statusMessage, rawHeaders } = information;
  if (statusCode === 100) {
    if (head.expectsContinue) response.writeContinue();
    return;
  }
  // A pipelined request's response has no socket until its turn has come; a hint is not worth waiting.
  const { socket } = response;
  // Nor is it worth keeping for a client that does not read.
  if (socket === null || socket.writableNeedDrain || !REASON.test(statusMessage)) return;
  const dropped = hopByHop(rawHeaders);
  let text = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const lower = name.toLowerCase();
    if (!dropped.has(lower) && lower !== 'x-router-error') text += `${name}: ${rawHeaders[i + 1]}\r\n`;
  }
  socket.write(`${text}\r\n`, 'latin1');
}
