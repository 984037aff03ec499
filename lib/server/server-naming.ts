import type { Socket } from 'node:net';
import { serverNaming } from '../core/http/client-hello.ts';

/**
 * Reads the ClientHello, reports whether it has a server name (SNI), and puts the bytes back. The socket is destroyed
 * when the client ends its side earlier, or at the limit.
 * @param limitMs for the ClientHello; 0 is no limit
 */
export function awaitClientHello(socket: Socket, limitMs: number, tell: (isNamed: boolean) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const timer = limitMs > 0 ? setTimeout(() => socket.destroy(), limitMs) : undefined;
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('data', onData).off('end', onEnd).off('error', onEnd).off('close', stop);
  };
  const onEnd = (): void => {
    socket.destroy();
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const naming = serverNaming(bytes);
    if (naming === 'incomplete') return;
    stop();
    socket.pause();
    socket.unshift(bytes);
    tell(naming === 'named');
  };
  socket.on('data', onData).on('end', onEnd).on('error', onEnd).on('close', stop);
  socket.resume();
}
