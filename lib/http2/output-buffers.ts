/** Memory for bytes on their way to sockets, for all sessions of a worker. */

/** The size of a buffer: a session gives this much to its socket at a time. */
export const OUTPUT_BYTES = 65_536;
/** How many unused buffers are kept. */
const MAX_KEPT = 32;
/** Up to this many bytes are copied for their way, so that a slow client keeps no whole buffer. */
const COPIED_BYTES = 4_096;

const unused: Buffer[] = [];

/** A buffer with any content, of OUTPUT_BYTES or as many as asked for, if that is more. */
export function takeBuffer(bytes = 0): Buffer {
  if (bytes > OUTPUT_BYTES) return Buffer.allocUnsafeSlow(bytes);
  return unused.pop() ?? Buffer.allocUnsafeSlow(OUTPUT_BYTES);
}

/** Returns a buffer that nothing uses any more. */
export function giveBuffer(buffer: Buffer): void {
  if (buffer.length === OUTPUT_BYTES && unused.length < MAX_KEPT) unused.push(buffer);
}

/** The first bytes of a buffer, in memory of their own where they are few. Otherwise the buffer is still in use. */
export function outgoing(buffer: Buffer, length: number): Buffer {
  if (length > COPIED_BYTES) return buffer.subarray(0, length);
  const copy = Buffer.allocUnsafe(length);
  buffer.copy(copy, 0, 0, length);
  return copy;
}
