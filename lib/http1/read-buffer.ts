/**
 * The buffer that all sockets of the fast lane read into. The bytes of a read must be used, or copied, before the
 * next read.
 */
import type { OnReadOpts } from 'node:net';

const BYTES = 65_536;
// Not from Node's pool of small buffers: `kept` recognises it by its ArrayBuffer.
const BUFFER = Buffer.allocUnsafeSlow(BYTES);

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
