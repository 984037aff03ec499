import type { Duplex } from 'node:stream';
import { AHEAD_BYTES } from '../core/limits/client-limits.ts';

/**
 * Reads on while a client waits for the response to its handshake: only reading shows that it has left.
 * @param onEnd called when the client has ended its side
 * @returns stops reading, and returns the bytes that have come
 */
export function readEarly(socket: Duplex, onEnd: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= AHEAD_BYTES) socket.pause();
  };
  socket.on('data', onData);
  socket.once('end', onEnd);
  return () => {
    socket.off('data', onData);
    socket.off('end', onEnd);
    return Buffer.concat(chunks);
  };
}
