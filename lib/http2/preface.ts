import type { Socket } from 'node:net';

/** The first bytes of every HTTP/2 connection (RFC 9113 §3.4). No HTTP/1.1 request starts with them. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/**
 * Reads the first bytes of a connection without TLS, reports whether the client speaks HTTP/2, and puts them back.
 * @param limitMs how long to wait; 0 is no limit. After that the client is taken for HTTP/1.1, whose own limit applies
 *   to its head
 */
export function detectHttpVersion(socket: Socket, limitMs: number, tell: (isHttp2: boolean) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const settle = (isHttp2: boolean): void => {
    clearTimeout(timer);
    socket.off('data', onData).off('end', onEnd).off('error', onEnd).off('close', stop);
    socket.pause();
    if (bytes.length > 0) socket.unshift(bytes);
    tell(isHttp2);
  };
  const timer = limitMs > 0 ? setTimeout(() => settle(false), limitMs) : undefined;
  const stop = (): void => clearTimeout(timer);
  const onEnd = (): void => {
    stop();
    socket.destroy();
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const length = Math.min(bytes.length, PREFACE.length);
    if (bytes.compare(PREFACE, 0, length, 0, length) !== 0) settle(false);
    else if (length === PREFACE.length) settle(true);
  };
  socket.on('data', onData).on('end', onEnd).on('error', onEnd).on('close', stop);
  socket.resume();
}
