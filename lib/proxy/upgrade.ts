import type { Duplex } from 'node:stream';
import { hopByHop } from '../core/hop-by-hop.ts';
import { hasToken } from '../core/request-head.ts';
import type { AttemptParts } from './attempt.ts';
import type { SwitchingAnswer } from './backend-request.ts';
import { debugHeaders } from './debug-headers.ts';
import type { Exchange } from './exchange.ts';
import { join } from './tunnel.ts';

/**
 * Passes a 101 on to the client and joins the two (RFC 6455 §4.2.2).
 * @returns null when they are joined; otherwise why not, and nothing was written
 */
export function relayUpgrade(
  exchange: Exchange,
  answer: SwitchingAnswer,
  backend: Duplex,
  head: Buffer,
  { clock, limits }: AttemptParts,
): string | null {
  const { upgrade, response, request } = exchange;
  if (!upgrade) return 'a 101 that nobody asked for';
  if (!hasToken(answer.headers.upgrade ?? '', 'websocket')) return 'a 101 to another protocol';

  const { rawHeaders } = answer;
  const dropped = hopByHop(rawHeaders);
  let text = 'HTTP/1.1 101 Switching Protocols\r\n';
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const lower = name.toLowerCase();
    if (lower === 'connection' || lower === 'upgrade' || !dropped.has(lower))
      text += `${name}: ${rawHeaders[i + 1]}\r\n`;
  }
  const added = [...(exchange.outgoing?.answerFields ?? []), ...(exchange.head?.isDebug ? debugHeaders(exchange) : [])];
  for (let i = 0; i < added.length; i += 2) text += `${added[i]}: ${added[i + 1]}\r\n`;

  exchange.status = 101;
  response.detachSocket(request.socket);
  upgrade.socket.write(`${text}\r\n`, 'latin1');
  if (head.length > 0) upgrade.socket.write(head);
  for (const bytes of [upgrade.head, exchange.takeEarly()]) if (bytes.length > 0) backend.write(bytes);
  exchange.bytesSent += head.length;
  join(exchange, upgrade.socket, backend, clock, limits.tunnelMs);
  return null;
}
