import type { Socket } from 'node:net';

/** What a client begins with that knows of HTTP/2 (RFC 9113 §3.4). No request of HTTP/1.1 begins so. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/**
 * Waits until it is known which HTTP a client of a plain connection speaks, and puts back what was read.
 * @param limitMs for that; 0 for ever. A client that says less takes its time over HTTP/1.1's head: that is its limit
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
