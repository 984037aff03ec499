import type { ServerStream } from './stream.ts';

/** How many streams that have ended are remembered. */
const REMEMBERED = 128;

/** How a stream ended: in order, by the client's RST_STREAM, by the router's. */
export type StreamEnd = 'ended' | 'client-reset' | 'reset';

/** The streams of one connection (RFC 9113 §5.1): those that are open, and how the latest ones ended. */
export class StreamTable {
  readonly #open = new Map<number, ServerStream>();
  #lastId = 0;
  /** A ring of the latest ids that ended, and how. */
  #ids: Uint32Array | null = null;
  readonly #ends: StreamEnd[] = [];
  #ended = 0;

  /** The highest id of a stream that the client has opened. */
  get lastId(): number {
    return this.#lastId;
  }

  get size(): number {
    return this.#open.size;
  }

  get(id: number): ServerStream | undefined {
    return this.#open.get(id);
  }

  all(): IterableIterator<ServerStream> {
    return this.#open.values();
  }

  add(stream: ServerStream): void {
    this.#open.set(stream.id, stream);
    this.#lastId = stream.id;
  }

  /** The stream is over. */
  remove(id: number, how: StreamEnd): void {
    if (!this.#open.delete(id)) return;
    this.#ids ??= new Uint32Array(REMEMBERED);
    const at = this.#ended++ % REMEMBERED;
    this.#ids[at] = id;
    this.#ends[at] = how;
  }

  /**
   * How a stream ended that is not open and whose id is not higher than `lastId`; null when it was never opened. One
   * that ended long ago is taken for one that ended in order.
   */
  endOf(id: number): StreamEnd | null {
    const ids = this.#ids;
    if (ids === null) return null;
    const known = Math.min(this.#ended, REMEMBERED);
    let lowest = Infinity;
    for (let i = 0; i < known; i++) {
      if (ids[i] === id) return this.#ends[i] ?? null;
      lowest = Math.min(lowest, ids[i] ?? 0);
    }
    return this.#ended > REMEMBERED && id < lowest ? 'ended' : null;
  }
}
