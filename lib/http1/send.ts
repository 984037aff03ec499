import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { ClientStream } from './client-stream.ts';
import { mayHold, memoryOf, takeMemory } from './lent-memory.ts';
import { isTransient, kept } from './read-buffer.ts';

/** Up to this size bytes are written as a string: Node copies it to its stack, so no buffer has to be kept. */
const STRING_BYTES = 16_384;

/**
 * Writes bytes, or latin1.
 * @param client that the exchange belongs to, as `clientKey` returns it: memory is shared out by it
 * @returns false when the socket is blocked. This is not the return value of `socket.write`, which is also false for
 *   a large piece that the kernel has taken at once
 */
export function send(socket: Duplex, data: Buffer | string, client: string): boolean {
  const isFlowing =
    typeof data === 'string'
      ? socket.write(data, 'latin1')
      : data.length <= STRING_BYTES
        ? socket.write(data.toString('latin1'), 'latin1')
        : writeLarge(socket, '', data, client);
  return isFlowing || socket.writableLength === 0;
}

/** Writes a head and the parts of its body. @param head latin1 @returns as `send` */
export function sendRequest(socket: Duplex, head: string, body: readonly (string | Buffer)[]): boolean {
  const [first = ''] = body;
  if (body.length <= 1 && typeof first === 'string' && head.length + first.length <= STRING_BYTES) {
    return socket.write(head + first, 'latin1') || socket.writableLength === 0;
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

/** Writes text and bytes after it in one packet if possible. @param client as in `send`. @returns as `send` */
export function sendTogether(socket: Duplex, text: string, bytes: Buffer, client: string): boolean {
  if (text.length + bytes.length <= STRING_BYTES) return send(socket, text + bytes.toString('latin1'), client);
  writeLarge(socket, text, bytes, client);
  return !isFull(socket);
}

/** Whether the socket's write buffer is full. The socket emits `drain` when it is empty again. */
export function isFull(socket: Duplex): boolean {
  return socket.writableNeedDrain && socket.writableLength > 0;
}

/** @returns as `socket.write` */
function writeLarge(socket: Duplex, text: string, bytes: Buffer, client: string): boolean {
  if (isTransient(bytes) && mayBorrow(socket) && mayHold(client)) {
    const lent = memoryOf(bytes);
    if (lent !== null) return lent.write(socket, text, bytes, client);
    const memory = takeMemory();
    // It is used again as soon as the write is done, so copying allocates nothing.
    if (memory !== null) {
      const isFlowing = memory.writeCopy(socket, text, bytes, client);
      memory.leave();
      return isFlowing;
    }
  }
  socket.cork();
  if (text !== '') socket.write(text, 'latin1');
  const isFlowing = socket.write(kept(bytes));
  socket.uncork();
  return isFlowing;
}

/**
 * Node's own sockets call back for every write, when they need its bytes no more, and so do the adapters of HTTP/2 streams. A
 * BackendSocket may not.
 */
function mayBorrow(socket: Duplex): boolean {
  return (
    socket.constructor === Socket || socket.constructor === TLSSocket || (socket as ClientStream).mayBorrow === true
  );
}
