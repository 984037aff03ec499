import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Activity } from '../core/limits/activity.ts';
import { hostOf } from '../core/routing/hostname.ts';
import type { Peer } from '../core/http/forwarded.ts';
import { CODE, ConnectionError } from './frames/frames.ts';
import { FloodError } from './frames/floods.ts';
import { DEFAULT_PRIORITY, priorityOf } from './frames/priority.ts';
import { coverageOf } from './certificate-coverage.ts';
import { Connection, type ConnectionEvents } from './connection.ts';
import type { ReceivedSection } from './header-blocks.ts';
import { Http1StreamAdapter, type StreamAdapterOwner } from './http1-stream-adapter.ts';
import { innerRequest } from './inner-request.ts';
import type { StreamKind, Http2Parts, Http2Refusal } from './parts.ts';
import type { ServerStream } from './stream.ts';

/** How long a client may take to close its connection after the session has ended, ms. */
const GOODBYE_MS = 1_000;
/** The same outside of a shutdown, ms: sent bytes may still be on their way. */
const LINGER_MS = 5_000;
/**
 * On shutdown, a session without streams for this long is closed, ms. Also how long a client may take to show that it
 * has seen the first GOAWAY. Longer than a next request is usually in transit.
 */
const REST_MS = 500;
/** How long a client may take to acknowledge the settings, ms (RFC 9113 §6.5.3). */
const SETTINGS_MS = 30_000;

/** A stream whose request was not read yet. */
interface Waiting {
  readonly stream: ServerStream;
  readonly section: ReceivedSection;
}

/**
 * How far a session has got with its end. `announced`: the first GOAWAY was sent. `final`: the second one was, which
 * names the last stream that is served.
 */
type Ending = 'none' | 'announced' | 'final';

/** One client's HTTP/2 connection. */
export class Session implements StreamAdapterOwner, ConnectionEvents {
  readonly #parts: Http2Parts;
  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly #activity: Activity;
  readonly #connection: Connection;
  readonly #covers: (hostname: string) => boolean;
  readonly #adapters = new Set<Http1StreamAdapter>();
  readonly #free: Http1StreamAdapter[] = [];
  #waiting: Waiting[] = [];
  #busy = 0;
  #isLeaving = false;
  #ending: Ending = 'none';
  /** When the second GOAWAY is sent, by the clock of `parts.now`. */
  #finalAt = Infinity;
  /** When the settings must be acknowledged, by the same clock. */
  #settingsDue: number;
  /** When it has been idle for too long, by the same clock. Valid only while it is idle. */
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
    this.due = parts.now() + (parts.headerMs || Infinity);
    this.#settingsDue = parts.now() + SETTINGS_MS;
    socket.on('error', () => socket.destroy());
    // A client that ends its side has left, as in HTTP/1.1: its requests are aborted.
    socket.once('end', () => socket.destroy());
    this.#connection = new Connection(socket, parts.headerBytes, parts.now, this);
    socket.once('close', () => {
      this.#connection.stop();
      for (const adapter of this.#adapters) adapter.destroy();
      onGone(this);
    });
    this.#read(socket);
  }

  /** Begins to read. The socket may be paused, and have been read from. */
  #read(socket: Socket): void {
    const { read } = this.#connection;
    if (this.#parts.readAccepted(socket, read) === null) {
      socket.on('data', read).resume();
      return;
    }
    const first = socket.readableLength > 0 ? (socket.read() as Buffer | null) : null;
    socket.resume();
    if (first !== null) read(first);
  }

  /** The number of its adapters. */
  get streams(): number {
    return this.#adapters.size;
  }

  get isIdle(): boolean {
    return this.#busy === 0 && this.#waiting.length === 0;
  }

  /** Closes the session at its next short idle period: clients lose least when no stream is on its way. */
  leave(): void {
    this.#isLeaving = true;
    this.due = Math.min(this.due, this.#parts.now() + REST_MS);
  }

  /**
   * Ends the connection when the open streams have ended. First announces that (RFC 9113 §6.8): streams that the client
   * sends before it knows are served.
   */
  close(): void {
    this.#isLeaving = true;
    if (this.#ending !== 'none' || this.#connection.isOver) return;
    this.#ending = 'announced';
    this.#finalAt = this.#parts.now() + REST_MS;
    this.#connection.announceEnd();
  }

  /** Frees its connection slot while it is idle: sends GOAWAY, and does not wait for the client to close its side. */
  evict(): void {
    this.#finish();
    this.#end(0);
    // Not before GOAWAY is sent.
    this.#socket.once('finish', () => this.#socket.destroy());
  }

  /** Closes the session if it was idle for too long, and cuts it if it does not close. Call it regularly. */
  check(): void {
    const now = this.#parts.now();
    if (this.isIdle && this.due <= now) this.close();
    if (this.#finalAt <= now) this.#finish();
    if (this.#cutAt <= now) this.#socket.destroy();
    if (this.#connection.isOver) return;
    if (this.#settingsDue <= now && !this.#connection.isAcknowledged) {
      this.#connection.fail(new ConnectionError(CODE.settingsTimeout, 'the settings were not acknowledged'));
    }
    const blocked = this.#parts.windowMs === 0 ? 0 : this.#connection.resetBlocked(now, this.#parts.windowMs);
    if (blocked > 0) this.#refused('http2-window-timeout', blocked, 'no window was opened for the rest of a response');
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

  onPriority(stream: ServerStream, value: string): void {
    this.#connection.prioritize(stream, priorityOf(value, stream.priority));
  }

  onRequest(stream: ServerStream, section: ReceivedSection): void {
    this.#activity.busy();
    // Not at once: a stream that is reset in the same bytes that opened it costs no lookup and no attempt.
    this.#waiting.push({ stream, section });
  }

  onNeeded(stream: ServerStream): void {
    const waiting = this.#waiting.find((each) => each.stream === stream);
    // It may have had a receiver, which has no use for the rest of the request.
    if (waiting === undefined) return;
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    this.#admit(waiting);
  }

  onRead(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) if (!each.stream.isClosed) this.#admit(each);
    this.#idle();
  }

  onSettings(): void {
    this.#idle();
  }

  onPong(): void {
    if (this.#ending === 'announced') this.#finish();
  }

  onLeaving(): void {
    this.#finish();
  }

  onStreamRefused(why: string): void {
    this.#refused('http2-stream', 1, why);
  }

  onFailed(error: ConnectionError): void {
    const isTimeout = error.code === CODE.settingsTimeout;
    const code = isTimeout ? 'http2-settings-timeout' : 'http2-session';
    this.#refused(error instanceof FloodError ? `http2-flood-${error.kind}` : code, 1, error.message);
    this.#waiting = [];
    this.#cutAfter(this.#isLeaving ? GOODBYE_MS : LINGER_MS);
  }

  #refused(code: Http2Refusal['code'], count: number, why: string): void {
    this.#parts.onRefused({ code, count, why }, this.#peer);
  }

  #admit({ stream, section }: Waiting): void {
    const { fields, isTooLarge } = section;
    const request = innerRequest(fields, stream.isWhole, makeKey);
    if (request === null) {
      const code = isTooLarge ? CODE.calm : CODE.protocol;
      return this.#connection.onFault(stream, code, isTooLarge ? 'too large a head' : 'a malformed request');
    }
    if (!request.isTunnel) stream.expectedBytes = request.length;
    if (request.priority !== null && stream.priority === DEFAULT_PRIORITY) this.onPriority(stream, request.priority);
    this.#busy++;
    const kind = isTooLarge ? 'too-large' : this.#kindOf(request.authority, request.isTunnel);
    const adapter = (kind === 'plain' ? this.#freeAdapter() : null) ?? this.#newAdapter(kind);
    adapter.attach(stream, request);
  }

  #kindOf(authority: string, isTunnel: boolean): StreamKind {
    const hostname = hostOf(authority);
    if (hostname !== null && !this.#covers(hostname)) return 'misdirected';
    return isTunnel ? 'tunnel' : 'plain';
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

  /** Serves no later streams, and ends the connection when there are none. */
  #finish(): void {
    this.#finalAt = Infinity;
    if (this.#connection.isOver) return;
    this.#ending = 'final';
    this.#connection.refuseLater();
    this.#idle();
  }

  #end(limitMs: number): void {
    this.#connection.end();
    this.#cutAfter(limitMs);
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
    if (this.#ending === 'final') this.#end(this.#isLeaving ? GOODBYE_MS : LINGER_MS);
  }
}

function makeKey(): string {
  return randomBytes(16).toString('base64');
}
