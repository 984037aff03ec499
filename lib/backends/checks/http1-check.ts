import { Body } from '../../http1/framed-body.ts';
import { HEAD_BYTES, takeResponse } from '../../http1/lenient-response.ts';
import { BodySearch, MAX_BODY_BYTES } from './body-search.ts';
import type { Answer } from './answer.ts';
import { ChunkData } from './chunk-data.ts';

/** A check's request, complete. */
export function requestText(method: string, path: string, host: string): string {
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: hipache-check\r\nAccept: */*\r\nConnection: close\r\n\r\n`;
}

/** Reads the response to a check, as both lanes read responses, and no more of it than needed. No I/O. */
export class Http1Answer {
  readonly #toHead: boolean;
  readonly #search: BodySearch;
  readonly #body = new Body();
  #head: Buffer = Buffer.alloc(0);
  #status = 0;
  /** Null without chunks. */
  #chunks: ChunkData | null = null;

  /** @param wanted a text that the body must contain; "": the body is not read */
  constructor(method: string, wanted: string) {
    this.#toHead = method === 'HEAD';
    this.#search = new BodySearch(wanted);
  }

  /** @returns the response once it is known; a string that says what is wrong with it; null while more is needed */
  read(bytes: Buffer): Answer | string | null {
    return this.#status === 0 ? this.#readHead(bytes) : this.#readBody(bytes, 0);
  }

  /** The backend has closed the connection. */
  end(): Answer | string {
    if (this.#status === 0) return this.#head.length === 0 ? 'it closed the connection' : 'an incomplete response';
    return this.#answer();
  }

  #readHead(bytes: Buffer): Answer | string | null {
    let held = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]);
    for (;;) {
      const response = takeResponse(held.toString('latin1', 0, HEAD_BYTES), this.#toHead);
      if (typeof response === 'string') return response;
      if (response === null) {
        if (held.length >= HEAD_BYTES) return 'the head of the response is too large';
        // The caller may read into the same memory again.
        this.#head = Buffer.from(held);
        return null;
      }
      held = held.subarray(response.end);
      // Interim responses come before the one that counts; 101 was not asked for.
      if (response.status < 200 && response.status !== 101) continue;
      this.#status = response.status;
      this.#body.start(response.framing, response.length, true);
      if (response.framing === 'chunked') this.#chunks = new ChunkData();
      return this.#readBody(held, 0);
    }
  }

  #readBody(bytes: Buffer, at: number): Answer | string | null {
    if (this.#search.isDone || this.#body.isDone) return this.#answer();
    if (this.#body.read(bytes, at) < 0) return 'a broken chunk in the response';
    const { output } = this.#body;
    for (const piece of output === null ? [] : (this.#chunks?.read(output) ?? [output])) this.#search.add(piece);
    const isOver = this.#search.isDone || this.#body.isDone || this.#body.payload >= MAX_BODY_BYTES;
    return isOver ? this.#answer() : null;
  }

  #answer(): Answer {
    return { status: this.#status, hasBody: this.#search.isFound };
  }
}
