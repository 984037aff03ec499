/**
 * The buffer that all sockets of the fast lane read into, except for large responses (see ResponseReads). The bytes of a
 * read must be used, or copied, before the next read.
 */
import type { Duplex } from 'node:stream';
import { mayHold, memoryOf } from './lent-memory.ts';

const BYTES = 65_536;
/** The buffer. Not from Node's pool of small buffers: it is recognised by its ArrayBuffer. */
export const SHARED = Buffer.allocUnsafeSlow(BYTES);

/** Ends reading into the buffer: from then on the socket emits `data` again. */
export type EndReads = () => void;

/**
 * Makes an accepted socket read into the shared buffer.
 * @param onBytes called with the bytes, which are valid during the call only; not called after the end. With TLS it may
 *   be called after `pause`, with what was decrypted together: less than 64 KiB
 * @returns null where this is not possible: the socket emits `data`
 */
export type ReadAccepted = (socket: Duplex, onBytes: (bytes: Buffer) => void) => EndReads | null;

/** Whether bytes are valid during the current call only. */
export function isTransient(bytes: Buffer): boolean {
  return bytes.buffer === SHARED.buffer || memoryOf(bytes) !== null;
}

/** Copies bytes of the shared buffer or of lent memory, for use after the current call. Other bytes are returned as they are. */
export function kept(bytes: Buffer): Buffer {
  return isTransient(bytes) ? Buffer.from(bytes) : bytes;
}

/**
 * The same for bytes that are written later: lent memory that they mostly fill is held instead of copied, until
 * `letGo`. @param client as `clientKey` returns it
 */
export function held(bytes: Buffer, client: string): Buffer {
  const memory = memoryOf(bytes);
  if (memory === null || bytes.length * 2 < memory.room.length || !mayHold(client)) return kept(bytes);
  memory.hold(client);
  return bytes;
}

/** Bytes that `held` has returned are needed no more. */
export function letGo(piece: Buffer | string): void {
  if (typeof piece !== 'string') memoryOf(piece)?.release();
}

/** The callback of a socket that reads into the buffer. @returns that the socket is read on */
export function readsOf(onBytes: (bytes: Buffer) => void): (length: number) => boolean {
  return (length) => {
    onBytes(SHARED.subarray(0, length));
    return true;
  };
}
