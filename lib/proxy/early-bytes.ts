import type { Duplex } from 'node:stream';

/** What a client may send ahead of the answer to its handshake, bytes. Past it, its leaving is noticed late. */
const EARLY_BYTES = 65_536;

/**
 * Reads on while a client waits for the answer to its handshake: that it has left is only seen by reading.
 * @param onEnd told when the client has ended its side
 * @returns stops it, and gives what came meanwhile
 */
export function readEarly(socket: Duplex, onEnd: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= EARLY_BYTES) socket.pause();
  };
  socket.on('data', onData);
  socket.once('end', onEnd);
  return () => {
    socket.off('data', onData);
    socket.off('end', onEnd);
    return Buffer.concat(chunks);
  };
}
