import type { IncomingMessage } from 'node:http';
import { trimmed } from '../core/http/white-space.ts';

/**
 * The bytes of a request without its Upgrade field. RFC 9110 §7.8 lets a server ignore that field. Node's parser stops
 * at each Upgrade field while the server has an `upgrade` listener, so the caller puts these bytes back on the socket
 * to be parsed again.
 * @param head bytes that came after the request head
 */
export function withoutUpgrade(request: IncomingMessage, head: Buffer): Buffer {
  const { method, url, httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (lower === 'upgrade') continue;
    text += `${name}: ${lower === 'connection' ? withoutToken(value, 'upgrade') : value}\r\n`;
  }
  return Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]);
}

function withoutToken(list: string, token: string): string {
  return list
    .split(',')
    .filter((item) => trimmed(item).toLowerCase() !== token)
    .join(',');
}
