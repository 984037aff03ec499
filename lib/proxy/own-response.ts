/** What all of the router's own responses have in common. */
import { RouterError } from '../core/errors.ts';
import { type ResponseLimits, limitResponse } from './own-response-limit.ts';
import { debugHeaders } from './debug-headers.ts';
import type { Exchange } from './exchange.ts';
import { passRemainder, type RemainderParts } from './body-remainder.ts';
import { ownAdapted } from './site-fields.ts';

/** The dependencies of the router's own responses. */
export interface OwnResponseParts extends ResponseLimits, RemainderParts {
  readonly isDraining: () => boolean;
}

/**
 * Writes a head, with the fields that every response has. The caller sends the body.
 * @param fields names and values in turn; they frame the body
 * @returns call it on progress of the body that the response's events do not show
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
  // If the head was not parsed, or the body broke off, the start of the next request is unknown.
  const mustClose = head === null || exchange.isBodyLost || interruption !== null || upgrade !== null || isDraining();
  if (mustClose) headers.push('Connection', 'close');
  response.writeHead(status, headers);
  // A client that was too slow gets no second time limit.
  const isTooSlow = interruption instanceof RouterError && interruption.code === 'request-timeout';
  if (!request.complete && upgrade === null && !isTooSlow) passRemainder(exchange, null, parts);
  return limitResponse(exchange, parts);
}

/** Sends a response with this body. */
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
