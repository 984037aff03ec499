import type { Duplex } from 'node:stream';
import { interimFields } from '../core/http/interim-fields.ts';
import { hasToken } from '../core/http/request-head.ts';
import type { AttemptParts } from './parts.ts';
import type { FlowEnds } from '../rates/paced-flow.ts';
import type { SwitchingResponse } from '../backends/backend-request.ts';
import { debugHeaders } from './debug-headers.ts';
import type { Exchange } from './exchange.ts';
import { switchingFields } from './site-fields.ts';
import { isSlowed, openFlow } from './slow-flow.ts';
import { join } from './tunnel.ts';

const OF_SWITCHING = new Set(['connection', 'upgrade']);

/**
 * Relays a 101 to the client and joins both sockets (RFC 6455 §4.2.2).
 * @returns null when they are joined; otherwise why not, and nothing was written
 */
export function relayUpgrade(
  exchange: Exchange,
  backendResponse: SwitchingResponse,
  backend: Duplex,
  head: Buffer,
  parts: AttemptParts,
): string | null {
  const { upgrade } = exchange;
  if (!upgrade) return 'a 101 without an Upgrade request';
  if (!hasToken(backendResponse.headers.upgrade ?? '', 'websocket')) return 'a 101 to another protocol';

  const debug = exchange.head?.isDebug ? debugHeaders(exchange) : [];
  const fields = [
    ...switchingFields(exchange, interimFields(backendResponse.rawHeaders, OF_SWITCHING)),
    ...(exchange.cookie === null ? [] : ['Set-Cookie', exchange.cookie]),
    ...(exchange.outgoing?.responseFields ?? []),
    ...debug,
  ];
  let text = 'HTTP/1.1 101 Switching Protocols\r\n';
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;

  exchange.status = 101;
  upgrade.release();
  upgrade.socket.write(`${text}\r\n`, 'latin1');
  if (head.length > 0) upgrade.socket.write(head);
  for (const bytes of [upgrade.head, exchange.takeEarly()]) if (bytes.length > 0) backend.write(bytes);
  exchange.bytesSent += head.length;
  const slow = isSlowed(exchange) ? (ends: FlowEnds) => openFlow(exchange, parts, ends) : null;
  join(exchange, upgrade.socket, backend, parts, (exchange.limits ?? parts.limits).tunnelMs, slow);
  return null;
}
