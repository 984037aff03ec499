import type { Socket } from 'node:net';

/** A message up to this size is written as one string: cheaper than two buffers, and one packet. */
const STRING_BYTES = 16_384;

/**
 * Writes a head and what there is of its body.
 * @param head latin1
 * @returns false when the socket takes no more for now
 */
export function sendRequest(socket: Socket, head: string, body: readonly Buffer[]): boolean {
  const [first] = body;
  if (first === undefined) return socket.write(head, 'latin1');
  if (body.length === 1) return sendTogether(socket, head, first);
  socket.cork();
  socket.write(head, 'latin1');
  let isFlowing = true;
  for (const part of body) isFlowing = socket.write(part);
  socket.uncork();
  return isFlowing;
}

/** Writes text and bytes after it in one go. @returns false when the socket takes no more for now */
export function sendTogether(socket: Socket, text: string, bytes: Buffer): boolean {
  if (bytes.length <= STRING_BYTES) return socket.write(text + bytes.toString('latin1'), 'latin1');
  socket.cork();
  socket.write(text, 'latin1');
  const isFlowing = socket.write(bytes);
  socket.uncork();
  return isFlowing;
}
