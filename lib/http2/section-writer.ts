import { FLAG, FRAME, HEAD_BYTES, MAX_PAYLOAD, writeHead } from './frames/frames.ts';
import { fieldRoom, HEAD_ROOM, HpackEncoder } from './hpack/encoder.ts';
import type { Section } from './stream.ts';

/** Writes field sections as HEADERS and CONTINUATION frames. Each one that is written must be sent, in this order. */
export class SectionWriter {
  readonly #encoder = new HpackEncoder();

  /** The client's table became `lowest`, then `last` bytes large. */
  limitTable(lowest: number, last: number): void {
    this.#encoder.limitTable(lowest);
    this.#encoder.limitTable(last);
  }

  /** The maximum number of bytes that `write` writes. */
  boundOf({ fields }: Section): number {
    let bound = HEAD_ROOM;
    for (let i = 0; i < fields.length; i += 2) bound += fieldRoom(fields[i] ?? '', fields[i + 1] ?? '');
    return bound + HEAD_BYTES * Math.ceil(bound / MAX_PAYLOAD);
  }

  /** @returns where the next frame goes */
  write({ status, fields, isEnd }: Section, id: number, into: Buffer, begin: number): number {
    const encoder = this.#encoder;
    const start = begin + HEAD_BYTES;
    let at = encoder.begin(into, start);
    if (status !== null) at = encoder.status(into, at, status);
    for (let i = 0; i < fields.length; i += 2) at = encoder.field(into, at, fields[i] ?? '', fields[i + 1] ?? '');
    const endStream = isEnd ? FLAG.endStream : 0;
    if (at - start <= MAX_PAYLOAD) {
      writeHead(into, begin, at - start, FRAME.headers, endStream | FLAG.endHeaders, id);
      return at;
    }
    writeHead(into, begin, MAX_PAYLOAD, FRAME.headers, endStream, id);
    return split(into, start, at, id);
  }
}

/** Cuts a block into frames: moves its parts apart, the last one first, and writes the heads of CONTINUATION between. */
function split(into: Buffer, start: number, end: number, id: number): number {
  const last = Math.ceil((end - start) / MAX_PAYLOAD) - 1;
  for (let i = last; i > 0; i--) {
    const from = start + i * MAX_PAYLOAD;
    const length = Math.min(MAX_PAYLOAD, end - from);
    const to = from + i * HEAD_BYTES;
    into.copyWithin(to, from, from + length);
    writeHead(into, to - HEAD_BYTES, length, FRAME.continuation, i === last ? FLAG.endHeaders : 0, id);
  }
  return end + last * HEAD_BYTES;
}
