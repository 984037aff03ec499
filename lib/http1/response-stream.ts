import { hasNoFraming } from '../core/http/framing.ts';
import { fieldLines, rawFields } from './field-lines.ts';
import { Body } from './framed-body.ts';
import { HEAD_BYTES, headEnd, takeResponse, type TakenResponse } from './lenient-response.ts';

/** `idle`: no response is awaited. `tunnel`: after a 101, bytes belong to another protocol. */
type State = 'idle' | 'head' | 'body' | 'tunnel';

const NO_BYTES = Buffer.alloc(0);
const FRAMING = /^(?:content-length|transfer-encoding):/im;

/**
 * Rewrites the responses of one connection to the strict grammar, for Node's parser. They are parsed as in the fast
 * lane, so that both lanes accept and reject the same responses.
 */
export class ResponseStream {
  readonly #body = new Body();
  #state: State = 'idle';
  #toHead = false;
  #mayTunnel = false;
  #partial: Buffer | null = null;
  #isKept = true;
  /** Why the last `read` returned null. */
  fault = '';

  /** The connection may serve a next request. */
  get isKept(): boolean {
    return this.#state === 'idle' && this.#isKept && !this.#body.isDoubtful;
  }

  /** A response has begun and is not complete. One without framing is completed only by the end of the connection. */
  get isInBody(): boolean {
    return this.#state === 'body';
  }

  /** A request is sent. @param toHead it is HEAD. @param mayTunnel it asks for another protocol */
  start(toHead: boolean, mayTunnel: boolean): void {
    this.#state = 'head';
    this.#toHead = toHead;
    this.#mayTunnel = mayTunnel;
    this.#partial = null;
  }

  /** @returns the bytes of the response, in the strict form; null when they are malformed: see `fault` */
  read(bytes: Buffer): Buffer | null {
    switch (this.#state) {
      case 'idle':
        return this.#fail('bytes that belong to no response');
      case 'head':
        return this.#readHeads(this.#partial === null ? bytes : Buffer.concat([this.#partial, bytes]));
      case 'body':
        return this.#readBody(bytes, 0);
      case 'tunnel':
        return bytes;
    }
  }

  /** Parses 1xx responses, and the head of the final one. */
  #readHeads(bytes: Buffer): Buffer | null {
    this.#partial = null;
    const pieces: Buffer[] = [];
    for (let at = 0; ;) {
      const response = takeResponse(bytes.toString('latin1', at, headEnd(bytes, at)), this.#toHead);
      if (response === null && bytes.length - at <= HEAD_BYTES) {
        this.#partial = at < bytes.length ? bytes.subarray(at) : null;
        return joined(pieces);
      }
      if (typeof response === 'string') return this.#fail(response);
      if (response === null || response.end > HEAD_BYTES) return this.#fail('the head of the response is too large');
      pieces.push(strictBytes(response, bytes.subarray(at, at + response.end)));
      at += response.end;
      if (response.status === 101) {
        if (!this.#mayTunnel) return this.#fail('a 101 without an Upgrade request');
        this.#state = 'tunnel';
        return joined([...pieces, bytes.subarray(at)]);
      }
      if (response.status < 200) continue;
      this.#state = 'body';
      this.#isKept = response.isKept;
      this.#body.start(response.framing, response.length, true);
      const rest = this.#readBody(bytes, at);
      return rest === null ? null : joined([...pieces, rest]);
    }
  }

  #readBody(bytes: Buffer, at: number): Buffer | null {
    const body = this.#body;
    let end = at;
    let output: Buffer | null = null;
    if (!body.isDone) {
      end = body.read(bytes, at);
      if (end < 0) return this.#fail('a broken chunk in the response');
      ({ output } = body);
    }
    if (body.isDone) {
      this.#state = 'idle';
      // Bytes follow that belong to no response: the connection is not used again.
      if (end < bytes.length) this.#isKept = false;
    }
    return output ?? NO_BYTES;
  }

  #fail(fault: string): null {
    this.fault = fault;
    return null;
  }
}

/** A head for Node's parser, which applies framing fields even to 101 and 204. */
function strictBytes({ status, strict }: TakenResponse, bytes: Buffer): Buffer {
  const isFrameless = hasNoFraming(status);
  if (strict === undefined && !isFrameless) return bytes;
  const text = strict ?? bytes.toString('latin1');
  if (!isFrameless || !FRAMING.test(text)) return Buffer.from(text, 'latin1');
  const raw = rawFields(text);
  const kept = raw.filter((_, i) => !FRAMING.test(`${raw[i - (i % 2)]}:`));
  return Buffer.from(`${text.slice(0, text.indexOf('\r\n') + 2)}${fieldLines(kept)}\r\n`, 'latin1');
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [only = NO_BYTES] = pieces;
  return pieces.length <= 1 ? only : Buffer.concat(pieces);
}
