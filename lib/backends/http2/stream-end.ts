import type { ClientHttp2Stream } from 'node:http2';

/**
 * The end of what comes on a stream, and whether its sender meant it (END_STREAM). Node gives a stream that was reset with
 * NO_ERROR the same end, and tells of no flag. But it listens for that `end` itself: at END_STREAM, while the stream is
 * open, and when the stream has been closed. With only the latter, and no trailers, the end was not meant; without either,
 * in another Node, it is taken for meant.
 */
export class StreamEnd {
  readonly #stream: ClientHttp2Stream;
  #isMeant = false;
  #isClosed = false;
  #isOurs = false;

  /** To be made with the stream: all of a response may have come when it is first looked at. */
  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    stream.once('trailers', () => (this.#isMeant = true));
    stream.on('newListener', (event) => {
      if (event !== 'end' || this.#isOurs) return;
      if (stream.closed) this.#isClosed = true;
      else this.#isMeant = true;
    });
  }

  /** Calls once all of it was read. @param listener told whether the end was meant */
  once(listener: (isMeant: boolean) => void): void {
    this.#isOurs = true;
    this.#stream.once('end', () => listener(this.#stream.rstCode === 0 && (this.#isMeant || !this.#isClosed)));
    this.#isOurs = false;
  }
}
