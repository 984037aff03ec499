/** HTTP/2 frames as bytes, right and wrong ones (RFC 9113 §6). */
import { END_HEADERS, END_STREAM, fieldBlock, FRAME, frame } from './http2.ts';

/** Error codes (RFC 9113 §7). */
export const CODE = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const;

/** Settings (RFC 9113 §6.5.2). */
export const SETTING = {
  tableBytes: 1,
  push: 2,
  streams: 3,
  window: 4,
  frameBytes: 5,
  listBytes: 6,
  connect: 8,
} as const;

export type Fields = readonly (readonly [name: string, value: string])[];

/** The fields of a request for `site.test`. @param more behind the pseudo-header fields */
export function asking(path: string, method = 'GET', more: Fields = []): Fields {
  return [[':method', method], [':scheme', 'http'], [':path', path], [':authority', 'site.test'], ...more];
}

/** @param fields fields, or a block that is already encoded */
export function headers(stream: number, fields: Fields | Buffer, flags = END_STREAM | END_HEADERS): Buffer {
  return frame(FRAME.headers, flags, stream, Buffer.isBuffer(fields) ? fields : fieldBlock(fields));
}

export function continuation(stream: number, block: Buffer, flags = END_HEADERS): Buffer {
  return frame(FRAME.continuation, flags, stream, block);
}

export function data(stream: number, bytes: string | Buffer, flags = END_STREAM): Buffer {
  return frame(FRAME.data, flags, stream, Buffer.from(bytes as string, 'latin1'));
}

/** The payload of a PRIORITY frame (RFC 7540 §6.3). */
export function dependency(on: number, weight = 16, isExclusive = false): Buffer {
  const payload = Buffer.alloc(5);
  payload.writeUInt32BE(((isExclusive ? 0x8000_0000 : 0) | on) >>> 0, 0);
  payload[4] = weight - 1;
  return payload;
}

export function priority(stream: number, payload: Buffer = dependency(0)): Buffer {
  return frame(FRAME.priority, 0, stream, payload);
}

export function reset(stream: number, code: number = CODE.cancel): Buffer {
  return frame(FRAME.reset, 0, stream, uint32(code));
}

export function settings(...pairs: readonly (readonly [setting: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * pairs.length);
  for (const [i, [setting, value]] of pairs.entries()) {
    payload.writeUInt16BE(setting, 6 * i);
    payload.writeUInt32BE(value, 6 * i + 2);
  }
  return frame(FRAME.settings, 0, 0, payload);
}

export function ping(payload: string | Buffer = '12345678', flags = 0, stream = 0): Buffer {
  return frame(FRAME.ping, flags, stream, Buffer.from(payload as string, 'latin1'));
}

export function goaway(code: number = CODE.none, last = 0, stream = 0): Buffer {
  return frame(FRAME.goaway, 0, stream, Buffer.concat([uint32(last), uint32(code), Buffer.from('why')]));
}

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(FRAME.windowUpdate, 0, stream, uint32(increment));
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}
