import type { ServerStream } from './stream.ts';

/** Content of a DATA frame that is shorter than this is joined with what follows, bytes. */
export const SMALL_BYTES = 1_024;

/**
 * The content of small DATA frames of one read, by stream. What follows takes about 500 bytes of memory for each piece of
 * a body, however small: a client must not choose pieces of one byte.
 */
export class SmallData {
  /** Where the content begins and ends in the bytes of the read, in turn. */
  readonly #ranges = new Map<ServerStream, number[]>();
  #bytes: Buffer | null = null;

  /** Adds a part of the bytes of the current read. */
  add(stream: ServerStream, bytes: Buffer, begin: number, end: number): void {
    this.#bytes = bytes;
    const ranges = this.#ranges.get(stream);
    if (ranges === undefined) this.#ranges.set(stream, [begin, end]);
    else ranges.push(begin, end);
  }

  /** Gives a stream's receiver what was added. */
  deliver(stream: ServerStream): void {
    const ranges = this.#ranges.get(stream);
    if (ranges === undefined) return;
    this.#ranges.delete(stream);
    if (!stream.isClosed && this.#bytes !== null) stream.receiver?.onData(joined(this.#bytes, ranges));
  }

  /** Gives all of it to the receivers: the read ends. */
  deliverAll(): void {
    if (this.#ranges.size === 0) return;
    for (const stream of this.#ranges.keys()) this.deliver(stream);
    this.#bytes = null;
  }
}

function joined(bytes: Buffer, ranges: readonly number[]): Buffer {
  const [first = 0, second = 0] = ranges;
  if (ranges.length === 2) return bytes.subarray(first, second);
  let length = 0;
  for (let i = 0; i < ranges.length; i += 2) length += (ranges[i + 1] ?? 0) - (ranges[i] ?? 0);
  const result = Buffer.allocUnsafe(length);
  let at = 0;
  for (let i = 0; i < ranges.length; i += 2) at += bytes.copy(result, at, ranges[i], ranges[i + 1]);
  return result;
}
