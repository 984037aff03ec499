import { RouterError } from '../core/errors.ts';
import type { RequestHead } from '../core/http/request-head.ts';
import type { ExchangeLimits } from '../core/limits/exchange-limits.ts';
import type { Exchange } from './exchange.ts';

/** Of a field line besides its name and value: a colon, a space and the line's end, bytes. */
const FIELD_BYTES = 4;
/** Of a request line besides its method and target, and of the empty line. */
const LINE_BYTES = ' '.length + ' HTTP/1.1\r\n'.length + '\r\n'.length;

/** @throws RouterError when the body is known to be larger than `limit`, bytes; 0 is no limit */
export function limitBody({ body }: Exchange, { framing }: RequestHead, limit: number): void {
  if (limit === 0) return;
  if (framing.kind === 'length' && framing.bytes > limit) {
    throw new RouterError('body-too-large', `a body of ${framing.bytes} bytes`);
  }
  if (body.bytes > limit) throw new RouterError('body-too-large', `a body of more than ${limit} bytes`);
}

/** Applies a site's limits. @throws RouterError when the head or the body is known to be too large */
export function limitSize(exchange: Exchange, head: RequestHead, { bodyBytes, headerBytes }: ExchangeLimits): void {
  if (headerBytes > 0 && headSize(exchange) > headerBytes) {
    throw new RouterError('head-too-large', `a head of more than ${headerBytes} bytes`);
  }
  limitBody(exchange, head, bodyBytes);
}

/** As it is sent in HTTP/1.1, bytes. */
function headSize({ method, target, request: { rawHeaders } }: Exchange): number {
  let bytes = method.length + target.length + LINE_BYTES + (rawHeaders.length / 2) * FIELD_BYTES;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}
