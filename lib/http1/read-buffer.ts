/** The one buffer that the lane's sockets read into: what a read brings is used up before the next one, or copied. */
import type { OnReadOpts } from 'node:net';

const BYTES = 65_536;
// Not from Node's pool of small buffers: told apart by its memory.
const BUFFER = Buffer.allocUnsafeSlow(BYTES);

/** The same bytes, for who needs them after the call that brought them. */
export function kept(bytes: Buffer): Buffer {
  return bytes.buffer === BUFFER.buffer ? Buffer.from(bytes) : bytes;
}

/** Makes a socket that is being made read into the buffer: for `net.connect`. */
export function intoBuffer(onBytes: (bytes: Buffer) => void): OnReadOpts {
  return {
    buffer: BUFFER,
    callback: (length) => {
      onBytes(BUFFER.subarray(0, length));
      return true;
    },
  };
}
