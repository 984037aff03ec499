import type { Duplex } from 'node:stream';
import type { HeldPart } from './held-body.ts';
import { kept } from '../http1/read-buffer.ts';

/** Up to this size bytes are written as a string: Node writes that from its stack, so nothing has to be kept for it. */
const STRING_BYTES = 16_384;

/**
 * Writes bytes, or latin1.
 * @returns false when the socket takes no more for now. Not what its `write` says, which counts what the system has
 *   taken in the same moment: a large piece would stop the other side each time
 */
export function send(socket: Duplex, data: Buffer | string): boolean {
  const isFlowing =
    typeof data === 'string'
      ? socket.write(data, 'latin1')
      : data.length <= STRING_BYTES
        ? socket.write(data.toString('latin1'), 'latin1')
        : socket.write(kept(data));
  return isFlowing || socket.writableLength === 0;
}

/**
 * Writes a head and what there is of its body.
 * @param head latin1
 * @returns as `send`
 */
export function sendRequest(socket: Duplex, head: string, body: readonly HeldPart[]): boolean {
  const [first = ''] = body;
  if (body.length <= 1 && typeof first === 'string' && head.length + first.length <= STRING_BYTES) {
    return send(socket, head + first);
  }
  socket.cork();
  socket.write(head, 'latin1');
  for (const part of body) {
    if (typeof part === 'string') socket.write(part, 'latin1');
    else socket.write(part);
  }
  socket.uncork();
  return !isFull(socket);
}

/** Writes text and bytes after it in one go. @returns as `send` */
export function sendTogether(socket: Duplex, text: string, bytes: Buffer): boolean {
  if (text.length + bytes.length <= STRING_BYTES) return send(socket, text + bytes.toString('latin1'));
  socket.cork();
  socket.write(text, 'latin1');
  socket.write(kept(bytes));
  socket.uncork();
  return !isFull(socket);
}

/** Whether there is more waiting to be sent than the socket wants to hold. It says when there is not: `drain`. */
export function isFull(socket: Duplex): boolean {
  return socket.writableNeedDrain && socket.writableLength > 0;
}
