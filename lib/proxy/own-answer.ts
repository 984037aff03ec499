/** Answers in the router's own name: what all of them have in common. */
import type { AlarmClock } from './alarms.ts';
import { limitAnswer } from './answer-limit.ts';
import { debugHeaders } from './debug-headers.ts';
import { discardBody } from './discard.ts';
import type { Exchange } from './exchange.ts';
import { siteFields } from './site-fields.ts';

/** What the router's own answers need. */
export interface OwnAnswerParts {
  readonly clock: AlarmClock;
  /** Silence that is borne while the rest of a body is read, ms. */
  readonly bodyMs: number;
  /** Silence that is borne while the client reads the answer, ms. */
  readonly responseMs: number;
  readonly isDraining: () => boolean;
}

/**
 * Writes a head, with the fields that every answer has. Whoever calls it sends the body.
 * @param fields names and values in turn; they frame the body
 * @returns to be called when the body has got on in a way that the response does not tell of
 */
export function beginAnswer(
  exchange: Exchange,
  status: number,
  fields: readonly string[],
  { clock, bodyMs, responseMs, isDraining }: OwnAnswerParts,
): () => void {
  const { request, response, head } = exchange;
  exchange.status = status;
  const headers = [...fields, ...siteFields(exchange), ...(exchange.outgoing?.answerFields ?? [])];
  if (head?.isDebug) headers.push(...debugHeaders(exchange));
  // Where the head was not understood, or its body broke off, nobody knows where the next request starts.
  const mustClose =
    head === null || exchange.isBodyLost || exchange.interruption !== null || exchange.upgrade !== null || isDraining();
  if (mustClose) headers.push('Connection', 'close');
  response.writeHead(status, headers);
  if (!mustClose && !request.complete) discardBody(request, clock, bodyMs);
  return limitAnswer(exchange, { clock, limitMs: responseMs });
}

/** Sends an answer whose body is at hand. */
export function answerWhole(
  exchange: Exchange,
  status: number,
  fields: readonly string[],
  body: Buffer,
  parts: OwnAnswerParts,
): void {
  beginAnswer(exchange, status, fields, parts);
  exchange.bytesSent = exchange.request.method === 'HEAD' ? 0 : body.length;
  exchange.response.end(body);
}
