/**
 * The buffer that all sockets of the fast lane read into. The bytes of a read must be used, or copied, before the
 * next read.
 */
import type { OnReadOpts } from 'node:net';
import type { Duplex } from 'node:stream';

const BYTES = 65_536;
// Not from Node's pool of small buffers: `kept` recognises it by its ArrayBuffer.
const BUFFER = Buffer.allocUnsafeSlow(BYTES);

/** Ends reading into the buffer: from then on the socket emits `data` again. */
export type EndReads = () => void;

/**
 * Makes an accepted socket read into the shared buffer.
 * @param onBytes called with the bytes, which are valid during the call only; not called after the end. With TLS it may
 *   be called after `pause`, with what was decrypted together: less than 64 KiB
 * @returns null where this is not possible: the socket emits `data`
 */
export type ReadAccepted = (socket: Duplex, onBytes: (bytes: Buffer) => void) => EndReads | null;

/** Copies bytes of the shared buffer, for use after the current call. Other bytes are returned as they are. */
export function kept(bytes: Buffer): Buffer {
  return bytes.buffer === BUFFER.buffer ? Buffer.from(bytes) : bytes;
}

/** Options for `net.connect` that make the socket read into the buffer. */
export function intoBuffer(onBytes: (bytes: Buffer) => void): OnReadOpts {
  return {
    buffer: BUFFER,
    callback: (length) => {
      onBytes(BUFFER.subarray(0, length));
      return true;
    },
  };
}
