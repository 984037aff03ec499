/** WebSockets on streams of HTTP/2 backends (RFC 8441), in the terms of HTTP/1.1's. */
import { type ClientHttp2Stream, constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import { withoutPseudo } from '../../core/http/http2-fields.ts';
import { acceptOf } from '../../http1/websocket-accept.ts';
import type { SwitchingResponse } from '../backend-request.ts';

/**
 * The 101 that corresponds to a backend's 200.
 * @param raw its fields, names and values in turn
 * @param key the client's Sec-WebSocket-Key
 */
export function switchingResponse(raw: readonly string[], key: string): SwitchingResponse {
  const rawHeaders = withoutPseudo(raw);
  rawHeaders.push('Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Accept', acceptOf(key));
  return { headers: { upgrade: 'websocket' }, rawHeaders };
}

/** Resets one side of a tunnel, a connection or a stream: it must not look like a graceful end. */
export function breakOff(side: Duplex): void {
  // RFC 8441 §5: to a stream CANCEL is what a reset is to a connection; Node's destroy() would say NO_ERROR.
  if (isStream(side)) side.close(constants.NGHTTP2_CANCEL);
  else side.destroy();
}

function isStream(side: Duplex): side is ClientHttp2Stream {
  return 'rstCode' in side;
}
