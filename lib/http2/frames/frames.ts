/** The constants of RFC 9113's frames, and the errors that end a connection. */

/** Frame types (RFC 9113 §6, RFC 9218 §7.1). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
  priorityUpdate: 16,
} as const;

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** Error codes (RFC 9113 §7). */
export const CODE = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const;

/** The size of a frame's head, bytes. */
export const HEAD_BYTES = 9;
/**
 * The largest payload that either side sends, bytes: the initial SETTINGS_MAX_FRAME_SIZE. A peer may allow more, never
 * less (RFC 9113 §6.5.2).
 */
export const MAX_PAYLOAD = 16_384;
/** The highest stream id, and the largest window. */
export const MAX_31_BITS = 0x7fff_ffff;

/** What a client did that ends its connection (RFC 9113 §5.4.1). */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** One of `CODE`. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The unsigned number in four bytes. */
export function read32(bytes: Buffer, at: number): number {
  return (read31(bytes, at) + (((bytes[at] ?? 0) & 0x80) === 0 ? 0 : 0x8000_0000)) >>> 0;
}

/** The number in four bytes without the highest bit, which is reserved in stream ids and window sizes. */
export function read31(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] ?? 0) & 0x7f) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}

/** Writes four bytes. @returns where the next byte goes */
export function write32(bytes: Buffer, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}

/** Writes the head of a frame (RFC 9113 §4.1). @returns where its payload goes */
export function writeHead(bytes: Buffer, at: number, length: number, type: number, flags: number, id: number): number {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  return write32(bytes, at + 5, id);
}
