import type { Socket } from 'node:net';
import { type ProxiedAddresses, readProxyHeader } from '../core/http/proxy-protocol.ts';

/**
 * Reads the PROXY header that a load balancer sends before the client's bytes, puts back what follows it, and calls
 * `admit` with the socket paused. A malformed header, or none in time, closes the connection: its client is unknown.
 * @param isRequired false admits a connection without a header as it is
 * @param limitMs for the whole header; 0 is no limit
 */
export function awaitProxyHeader(
  socket: Socket,
  isRequired: boolean,
  limitMs: number,
  admit: (proxied: ProxiedAddresses | null) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0);
  const timer = limitMs > 0 ? setTimeout(() => socket.destroy(), limitMs) : null;
  const onError = (): void => {
    socket.destroy();
  };
  const stop = (): void => {
    if (timer) clearTimeout(timer);
    socket.off('data', onData).off('end', onError).off('error', onError).off('close', stop);
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const header = readProxyHeader(bytes);
    if (header.type === 'incomplete') return;
    stop();
    if (header.type === 'invalid' || (header.type === 'none' && isRequired)) {
      socket.destroy();
      return;
    }
    socket.pause();
    const rest = header.type === 'header' ? bytes.subarray(header.length) : bytes;
    if (rest.length > 0) socket.unshift(rest);
    admit(header.type === 'header' ? header.addresses : null);
  };
  socket.on('data', onData).on('end', onError).on('error', onError).on('close', stop);
  socket.resume();
}
