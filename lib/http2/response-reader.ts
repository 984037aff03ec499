/**
 * Reads the HTTP/1.1 responses that the router's lanes write for streams. They come from the router itself: complete
 * lines, framed once.
 */

import { trimmed } from '../core/http/white-space.ts';
import { lowerName } from './field-names.ts';

/** Receives the parts of a response. */
export interface ResponseSink {
  /** A 1xx response. */
  onInformation(status: number, fields: readonly string[]): void;
  /** The protocol was switched: further bytes belong to the tunnel. */
  onSwitched(fields: readonly string[]): void;
  /** @param hasBody false: the response ends here */
  onHead(status: number, fields: readonly string[], hasBody: boolean): void;
  /** Part of the body: bytes, or latin1. @param isLast nothing follows, trailer fields included */
  onBody(data: Buffer | string, isLast: boolean): void;
  /** The body has ended, after `onBody` or without any. @param trailers names and values in turn */
  onBodyEnd(trailers: readonly string[]): void;
  /** The bytes are no valid response. */
  onFault(): void;
}

type State = 'head' | 'length' | 'size' | 'chunk' | 'chunk-end' | 'trailers' | 'tunnel' | 'done';

/** The maximum length of a response head or a trailer section, characters. The lanes forward no larger ones. */
const SECTION_LENGTH = 65_536;
const STATUS_LINE = /^HTTP\/1\.1 [1-9][0-9]{2}[ \r]/;
/** Where the status code starts. */
const STATUS_AT = 9;

/** Reads the responses of one connection, one after the other. */
export class ResponseReader {
  readonly #sink: ResponseSink;
  #state: State = 'done';
  #toHead = false;
  #mayTunnel = false;
  #text = '';
  #left = 0;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Expects a response. @param toHead the request was HEAD. @param mayTunnel the request asked for an upgrade (101) */
  start(toHead: boolean, mayTunnel: boolean): void {
    this.#state = 'head';
    this.#toHead = toHead;
    this.#mayTunnel = mayTunnel;
    this.#text = '';
  }

  get isDone(): boolean {
    return this.#state === 'done';
  }

  get isTunnel(): boolean {
    return this.#state === 'tunnel';
  }

  /** Expects nothing more. */
  stop(): void {
    this.#state = 'done';
  }

  /** Reads the next part. @param data bytes, or latin1 */
  read(data: Buffer | string): void {
    switch (this.#state) {
      case 'done':
        // The bytes belong to no response; taking them for the next one would mix up responses.
        if (data.length > 0) this.#fail();
        return;
      case 'tunnel':
        if (data.length > 0) this.#sink.onBody(data, false);
        return;
      case 'length':
        return this.#readLength(data);
      case 'head':
        return typeof data === 'string' ? this.#readHead(data) : this.#readHeadOf(data);
      case 'size':
      case 'chunk':
      case 'chunk-end':
      case 'trailers':
        return this.#readChunks(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    }
  }

  /** Bytes behind a head stay bytes: they may be many. */
  #readHeadOf(data: Buffer): void {
    const end = this.#text === '' ? data.indexOf('\r\n\r\n', 0, 'latin1') : -1;
    if (end < 0) return this.#readHead(data.toString('latin1'));
    this.#readHead(data.toString('latin1', 0, end + 4));
    if (end + 4 < data.length) this.read(data.subarray(end + 4));
  }

  #readHead(data: string): void {
    let text = this.#text === '' ? data : this.#text + data;
    this.#text = '';
    while (this.#state === 'head') {
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) {
        if (text.length > SECTION_LENGTH) this.#fail();
        this.#text = text;
        return;
      }
      this.#onHead(text, end);
      text = text.slice(end + 4);
    }
    if (text !== '') this.read(text);
  }

  /** @param end where the empty line starts */
  #onHead(text: string, end: number): void {
    if (!STATUS_LINE.test(text)) return this.#fail();
    const status = Number(text.slice(STATUS_AT, STATUS_AT + 3));
    const fields = fieldsOf(text, text.indexOf('\r\n') + 2, end);
    if (status === 101) {
      if (!this.#mayTunnel) return this.#fail();
      this.#state = 'tunnel';
      return this.#sink.onSwitched(fields);
    }
    if (status < 200) return this.#sink.onInformation(status, fields);
    let length = 0;
    let isChunked = false;
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] === 'content-length') length = Number(fields[i + 1]);
      else if (fields[i] === 'transfer-encoding') isChunked = true;
    }
    const isBodiless = this.#toHead || status === 204 || status === 304;
    const hasBody = !isBodiless && (isChunked || length > 0);
    this.#left = length;
    this.#state = !hasBody ? 'done' : isChunked ? 'size' : 'length';
    this.#sink.onHead(status, fields, hasBody);
    if (!hasBody) this.#sink.onBodyEnd([]);
  }

  #readLength(data: Buffer | string): void {
    const isExcess = data.length > this.#left;
    const bytes = isExcess ? data.slice(0, this.#left) : data;
    this.#left -= bytes.length;
    const isLast = this.#left === 0;
    if (isLast) this.#state = 'done';
    if (bytes.length > 0 || isLast) this.#sink.onBody(bytes, isLast);
    if (isLast) this.#sink.onBodyEnd([]);
    // Both lanes count the bytes of a body: more than announced is a bug in a lane.
    if (isExcess) this.#fail();
  }

  #readChunks(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#state === 'chunk') {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        if (this.#left === 0) this.#state = 'chunk-end';
        this.#sink.onBody(bytes.subarray(at, end), false);
        at = end;
        continue;
      }
      // A line: a chunk size, the end of a chunk, or part of the trailers.
      const newline = bytes.indexOf(10, at);
      const end = newline < 0 ? bytes.length : newline + 1;
      this.#text += bytes.toString('latin1', at, end);
      at = end;
      if (this.#text.length > SECTION_LENGTH) return this.#fail();
      if (newline < 0) return;
      if (this.#onLine()) continue;
      if (at < bytes.length) this.#fail();
      return;
    }
  }

  /** @returns whether more bytes may follow */
  #onLine(): boolean {
    const text = this.#text;
    switch (this.#state) {
      case 'size':
        this.#text = '';
        this.#left = Number.parseInt(text, 16);
        if (Number.isNaN(this.#left)) {
          this.#fail();
          return false;
        }
        this.#state = this.#left === 0 ? 'trailers' : 'chunk';
        return true;
      case 'chunk-end':
        this.#text = '';
        this.#state = 'size';
        return true;
      case 'trailers':
        if (text !== '\r\n' && !text.endsWith('\r\n\r\n')) return true;
        this.#text = '';
        this.#state = 'done';
        this.#sink.onBodyEnd(text === '\r\n' ? [] : fieldsOf(text, 0, text.length - 4));
        return false;
      case 'head':
      case 'length':
      case 'chunk':
      case 'tunnel':
      case 'done':
        return false;
    }
  }

  #fail(): void {
    this.#state = 'done';
    this.#sink.onFault();
  }
}

/** Names in lower case (RFC 9113 §8.2.1) and values in turn. @param end the end of the lines, without the last CRLF */
function fieldsOf(text: string, begin: number, end: number): string[] {
  const fields: string[] = [];
  for (let at = begin; at < end;) {
    const newline = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    fields.push(lowerName(text.slice(at, colon)), trimmed(text, colon + 1, newline));
    at = newline + 2;
  }
  return fields;
}
