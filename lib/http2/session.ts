import { randomBytes } from 'node:crypto';
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Activity } from '../core/limits/activity.ts';
import type { Allowance } from '../core/limits/allowance.ts';
import { hostOf } from '../core/routing/hostname.ts';
import type { Peer } from '../core/http/forwarded.ts';
import { Http1StreamAdapter, type StreamAdapterOwner } from './http1-stream-adapter.ts';
import { coverageOf } from './certificate-coverage.ts';
import { innerRequest } from './inner-request.ts';
import type { StreamKind, Http2Parts, Http2Refusal } from './parts.ts';
import { resetGuard } from './reset-guard.ts';

/** The maximum number of concurrent streams per session. */
const MAX_STREAMS = 100;
/** How long a client may take to close its connection after the session has ended, ms. */
const GOODBYE_MS = 1_000;
/** The same outside of a shutdown, ms: sent bytes may still be on their way. */
const LINGER_MS = 5_000;
/**
 * On shutdown, a session without streams for this long is closed, ms. Longer than a next request is usually in transit.
 */
const REST_MS = 500;

/** A stream whose request was not read yet. */
interface Waiting {
  readonly stream: ServerHttp2Stream;
  readonly rawHeaders: readonly string[];
  readonly isWhole: boolean;
  /** Names and values in turn; filled when they arrive. */
  readonly trailers: string[];
}

/** One client's HTTP/2 connection. */
export class Session implements StreamAdapterOwner {
  readonly #parts: Http2Parts;
  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly #activity: Activity;
  readonly #session: ServerHttp2Session;
  readonly #covers: (hostname: string) => boolean;
  readonly #resets: Allowance;
  readonly #adapters = new Set<Http1StreamAdapter>();
  readonly #free: Http1StreamAdapter[] = [];
  #waiting: Waiting[] = [];
  #busy = 0;
  /** The id of the latest stream; null before the first. */
  #lastId: number | null = null;
  #isLeaving = false;
  /** When it has been idle for too long, by the clock of `parts.now`. Valid only while it is idle. */
  due: number;
  /**
   * When its connection is cut, by the same clock. Without it, a client that never closes its side would keep it open.
   */
  #cutAt = Infinity;

  constructor(socket: Socket, peer: Peer, activity: Activity, parts: Http2Parts, onGone: (session: Session) => void) {
    this.#parts = parts;
    this.#socket = socket;
    this.#peer = { ...peer, isHttp2: true };
    this.#activity = activity;
    activity.close = () => this.evict();
    this.#covers = coverageOf(socket);
    this.#resets = resetGuard(parts.now);
    this.due = parts.now() + (parts.headerMs || Infinity);
    socket.on('error', () => socket.destroy());
    // A client that ends its side has left, as in HTTP/1.1: its requests are aborted.
    socket.once('end', () => socket.destroy());
    const options = {
      settings: {
        maxConcurrentStreams: MAX_STREAMS,
        maxHeaderListSize: parts.headerBytes,
        enableConnectProtocol: true,
      },
      // Node's default is 128 fields. Their size limits them, to which RFC 9113 adds 32 bytes for each.
      maxHeaderListPairs: Math.ceil(parts.headerBytes / 32),
      // Older versions of Node do not support this: see response-fields.ts.
      strictSingleValueFields: false,
    };
    this.#session = performServerHandshake(socket, options);
    this.#session.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    this.#session.on('stream', this.#onStream as never);
    this.#session.once('remoteSettings', () => this.#idle());
    socket.once('close', () => {
      for (const adapter of this.#adapters) adapter.destroy();
      onGone(this);
    });
  }

  /** The number of its adapters. */
  get streams(): number {
    return this.#adapters.size;
  }

  get isIdle(): boolean {
    return this.#busy === 0 && this.#waiting.length === 0;
  }

  /**
   * Closes the session at its next short idle period. Node's GOAWAY can only name the last stream that it has seen (RFC
   * 9113 §6.8 wants two GOAWAYs), and Node ignores streams that the client sent before it received it. Clients may
   * retry those streams, but not every client does. So GOAWAY is sent when probably none is on its way.
   */
  leave(): void {
    this.#isLeaving = true;
    this.due = Math.min(this.due, this.#parts.now() + REST_MS);
  }

  /** Takes no further streams, and ends the connection when the open ones have ended. */
  close(): void {
    this.#isLeaving = true;
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close();
    if (this.isIdle || this.#session.destroyed) this.#cutAfter(GOODBYE_MS);
  }

  /** Frees its connection slot while it is idle: sends GOAWAY, and does not wait for the client to close its side. */
  evict(): void {
    this.close();
    this.#cutAfter(0);
    // Node ends the socket when it has sent GOAWAY.
    this.#socket.once('finish', () => this.#socket.destroy());
  }

  /** Closes the session if it was idle for too long, and cuts it if it does not close. Call it regularly. */
  check(): void {
    const now = this.#parts.now();
    // Node has ended the session, by the client's wish or for its error. No event reports that before the socket
    // closes.
    if (this.#session.destroyed) this.#cutAfter(this.#isLeaving ? GOODBYE_MS : LINGER_MS);
    else if (this.isIdle && this.due <= now) this.close();
    if (this.#cutAt <= now) this.#socket.destroy();
  }

  onFree(adapter: Http1StreamAdapter): void {
    this.#free.push(adapter);
    this.#ended();
  }

  onGone(adapter: Http1StreamAdapter): void {
    if (!this.#adapters.delete(adapter)) return;
    const at = this.#free.indexOf(adapter);
    if (at < 0) this.#ended();
    else this.#free.splice(at, 1);
  }

  onReset(): void {
    if (this.#resets.take() || this.#session.destroyed) return;
    this.#waiting = [];
    this.#session.destroy(new Error('too many streams were reset'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    this.#cutAfter(GOODBYE_MS);
  }

  onUnsent(error: unknown): void {
    this.#refused('http2-response', 1, error instanceof Error ? error.message : String(error));
  }

  readonly #onStream = (
    stream: ServerHttp2Stream,
    _headers: unknown,
    flags: number,
    rawHeaders: readonly string[],
  ): void => {
    stream.on('error', () => {});
    this.#countRefused(stream.id);
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const trailers: string[] = [];
    // The end must be read, or Node counts the stream until its last bytes are in the kernel. A client that has the end
    // of the response earlier and opens a next stream would get ENHANCE_YOUR_CALM, because it seems to have one too
    // many.
    if (isWhole) stream.resume();
    else
      stream.on('trailers', ((_fields: unknown, _flags: number, raw: readonly string[]) => {
        trailers.push(...raw);
      }) as never);
    this.#activity.busy();
    this.#waiting.push({ stream, rawHeaders, isWhole, trailers });
    // Not at once: a stream that is reset in the same bytes that opened it costs no lookup and no attempt.
    if (this.#waiting.length === 1) setImmediate(this.#admitAll);
  };

  /**
   * Reports streams that Node resets before there is a request, for which it has no event: malformed ones, too large
   * heads, and streams above the maximum. They leave a gap in the stream ids, which clients count up by two.
   */
  #countRefused(id: number | undefined): void {
    if (id === undefined) return;
    // A client may start with any id; Firefox does not start with 1.
    const count = this.#lastId === null ? 0 : (id - this.#lastId) / 2 - 1;
    this.#lastId = id;
    if (count > 0) this.#refused('http2-stream', count, 'reset before there was a request');
  }

  #onError({ code, syscall, message }: NodeJS.ErrnoException): void {
    // A network error, or the session's own end: not a refusal.
    if (syscall === undefined && code !== 'ERR_HTTP2_SESSION_ERROR') this.#refused('http2-session', 1, message);
  }

  #refused(code: Http2Refusal['code'], count: number, why: string): void {
    this.#parts.onRefused({ code, count, why }, this.#peer);
  }

  readonly #admitAll = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) {
      if (each.stream.aborted || each.stream.closed || each.stream.destroyed) this.onReset();
      else this.#admit(each);
    }
    this.#idle();
  };

  #admit({ stream, rawHeaders, isWhole, trailers }: Waiting): void {
    const request = innerRequest(rawHeaders, isWhole, makeKey);
    if (request === null) {
      stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
      this.#refused('http2-stream', 1, 'a malformed request');
      return;
    }
    this.#busy++;
    const hostname = hostOf(request.authority);
    const isMisdirected = hostname !== null && !this.#covers(hostname);
    const kind = isMisdirected ? 'misdirected' : request.isTunnel ? 'tunnel' : 'plain';
    const adapter = (kind === 'plain' ? this.#freeAdapter() : null) ?? this.#newAdapter(kind);
    adapter.attach(stream, request, isWhole, trailers);
  }

  #freeAdapter(): Http1StreamAdapter | null {
    // The lanes may have closed it meanwhile.
    for (;;) {
      const adapter = this.#free.pop();
      if (adapter === undefined) return null;
      if (!adapter.destroyed && !adapter.writableEnded) return adapter;
      this.#adapters.delete(adapter);
    }
  }

  #newAdapter(kind: StreamKind): Http1StreamAdapter {
    const adapter = new Http1StreamAdapter(this, kind !== 'plain');
    this.#adapters.add(adapter);
    this.#parts.admit(adapter, this.#peer, kind);
    return adapter;
  }

  #cutAfter(limitMs: number): void {
    this.#cutAt = Math.min(this.#cutAt, this.#parts.now() + limitMs);
  }

  #ended(): void {
    this.#busy--;
    this.#idle();
  }

  #idle(): void {
    if (!this.isIdle) return;
    this.#activity.idle();
    const { idleMs, now } = this.#parts;
    this.due = now() + (this.#isLeaving ? REST_MS : idleMs || Infinity);
    if (this.#isLeaving && this.#session.closed) this.close();
  }
}

function makeKey(): string {
  return randomBytes(16).toString('base64');
}
