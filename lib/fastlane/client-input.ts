import type { ClientStream } from '../http1/client-stream.ts';
import { AHEAD_BYTES } from '../core/limits/client-limits.ts';
import { Body } from '../http1/framed-body.ts';
import { kept } from '../http1/read-buffer.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import { mayBegin, type ReadRequest, readRequest } from './request-grammar.ts';

/** A head in more pieces than this comes from a slow client: the full lane serves it. */
const HEAD_PIECES = 16;
/** Most heads end within so many bytes: a body behind one is not decoded to text for nothing. */
const HEAD_BYTES = 4_096;
const HEAD_END = '\r\n\r\n';

/** The connection that the bytes come from. */
export interface InputHandler {
  /** No request is under way: the next bytes begin one. */
  readonly isAwaitingHead: boolean;
  /** The receiver of the request's body. */
  readonly owner: ConnectionOwner | null;
  /** The first part of a head has come. */
  onHeadBegun(): void;
  /** A head is complete. Its body goes to `owner`. */
  onRequest(request: ReadRequest): void;
  /** The bytes are not the beginning of a head that this lane serves. @param bytes all that have come of it */
  onForeignHead(bytes: Buffer): void;
}

/** Divides what a client sends into requests: heads, bodies, and bytes that come before their turn. */
export class ClientInput {
  readonly #handler: InputHandler;
  readonly #socket: ClientStream;
  readonly #maxHeadBytes: number;
  /** The body of the current request. */
  readonly body = new Body();
  /** The end of the body will not be found: it is malformed, or its client was too slow. */
  isBodyLost = false;
  /** Part of a head, or bytes behind the current request. */
  #ahead: Buffer | null = null;
  /** Of the head that is being read. */
  #pieces = 0;

  constructor(handler: InputHandler, socket: ClientStream, maxHeadBytes: number) {
    this.#handler = handler;
    this.#socket = socket;
    this.#maxHeadBytes = maxHeadBytes;
  }

  /** Bytes are kept that were not used yet. */
  get hasAhead(): boolean {
    return this.#ahead !== null;
  }

  /** So many bytes are kept that the connection must not be read. */
  get isFull(): boolean {
    return this.#ahead !== null && this.#ahead.length >= AHEAD_BYTES;
  }

  /** Returns those bytes and forgets them. */
  takeAhead(): Buffer | null {
    const ahead = this.#ahead;
    this.#ahead = null;
    return ahead;
  }

  /** Reads a head, and what comes behind it. */
  readHead(bytes: Buffer): void {
    const all = this.#ahead === null ? bytes : Buffer.concat([this.#ahead, bytes]);
    const limit = this.#maxHeadBytes;
    let text = all.toString('latin1', 0, Math.min(all.length, HEAD_BYTES, limit));
    let request = readRequest(text);
    if (request === null && all.length > HEAD_BYTES) {
      text = all.toString('latin1', 0, limit);
      request = readRequest(text);
    }
    if (request === null) {
      if (all.length > limit || text.includes(HEAD_END)) return this.#handler.onForeignHead(all);
      if (++this.#pieces > HEAD_PIECES || !mayBegin(text)) return this.#handler.onForeignHead(all);
      if (this.#ahead === null) this.#handler.onHeadBegun();
      this.#ahead = kept(all);
      return;
    }
    this.#ahead = null;
    this.#pieces = 0;
    this.#begin(request, all, request.text.length);
  }

  /** Reads on while a request is under way. */
  readOn(bytes: Buffer): void {
    this.#goOn(bytes, this.body.isDone ? 0 : this.#readBody(bytes, 0));
  }

  /** Keeps bytes for later. @param at where they begin */
  keep(bytes: Buffer, at: number): void {
    const rest = bytes.subarray(at);
    this.#ahead = this.#ahead === null ? kept(rest) : Buffer.concat([this.#ahead, rest]);
    if (this.#ahead.length >= AHEAD_BYTES) this.#socket.pause();
  }

  /** @param at where the request's body begins in `bytes` */
  #begin(request: ReadRequest, bytes: Buffer, at: number): void {
    this.body.start(request.framing, request.length);
    this.isBodyLost = false;
    const hasBody = !this.body.isDone;
    this.#handler.onRequest(request);
    let next = at;
    if (hasBody && at < bytes.length) next = this.#readBody(bytes, at);
    this.#goOn(bytes, next);
  }

  /** @returns where the next request begins */
  #readBody(bytes: Buffer, at: number): number {
    const end = this.body.read(bytes, at);
    if (end < 0) {
      this.isBodyLost = true;
      this.#handler.owner?.onBadBody(at === 0 ? bytes : bytes.subarray(at));
      return bytes.length;
    }
    this.#handler.owner?.onBody(this.body.output, this.body.isDone);
    return end;
  }

  /** Handles the bytes behind a body. The exchange may have ended with it. */
  #goOn(bytes: Buffer, at: number): void {
    if (at >= bytes.length) return;
    if (this.#handler.isAwaitingHead) this.readHead(bytes.subarray(at));
    else this.keep(bytes, at);
  }
}
