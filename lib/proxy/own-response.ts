/** Answers in the router's own name: what all of them have in common. */
import { RouterError } from '../core/errors.ts';
import { type ResponseLimits, limitResponse } from './own-response-limit.ts';
import { debugHeaders } from './debug-headers.ts';
import type { Exchange } from './exchange.ts';
import { passRemainder, type RemainderParts } from './body-remainder.ts';
import { ownAdapted } from './site-fields.ts';

/** What the router's own answers need. */
export interface OwnResponseParts extends ResponseLimits, RemainderParts {
  readonly isDraining: () => boolean;
}

/**
 * Writes a head, with the fields that every answer has. Whoever calls it sends the body.
 * @param fields names and values in turn; they frame the body
 * @returns to be called when the body has got on in a way that the response does not tell of
 */
export function beginResponse(
  exchange: Exchange,
  status: number,
  fields: readonly string[],
  parts: OwnResponseParts,
): () => void {
  const { isDraining } = parts;
  const { request, response, head, interruption, upgrade } = exchange;
  exchange.status = status;
  const headers = ownAdapted(exchange, [...fields]);
  headers.push(...(exchange.outgoing?.responseFields ?? []));
  if (head?.isDebug) headers.push(...debugHeaders(exchange));
  // Where the head was not understood, or its body broke off, nobody knows where the next request starts.
  const mustClose = head === null || exchange.isBodyLost || interruption !== null || upgrade !== null || isDraining();
  if (mustClose) headers.push('Connection', 'close');
  response.writeHead(status, headers);
  // A client that was too slow is not waited for once more.
  const isTooSlow = interruption instanceof RouterError && interruption.code === 'request-timeout';
  if (!request.complete && upgrade === null && !isTooSlow) passRemainder(exchange, null, parts);
  return limitResponse(exchange, parts);
}

/** Sends an answer whose body is at hand. */
export function sendWhole(
  exchange: Exchange,
  status: number,
  fields: readonly string[],
  body: Buffer,
  parts: OwnResponseParts,
): void {
  beginResponse(exchange, status, fields, parts);
  exchange.bytesSent = exchange.method === 'HEAD' ? 0 : body.length;
  exchange.response.end(body);
}
