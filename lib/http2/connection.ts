import type { Duplex } from 'node:stream';
import { CODE, ConnectionError, MAX_31_BITS } from './frames/frames.ts';
import { FloodError, Floods } from './frames/floods.ts';
import { FrameReader } from './frames/frame-reader.ts';
import type { Priority } from './frames/priority.ts';
import { SETTING } from './frames/settings.ts';
import { INITIAL_WINDOW } from './frames/windows.ts';
import { areTrailers } from './field-rules.ts';
import { type FrameEvents, FrameHandler } from './frame-handler.ts';
import type { ReceivedSection } from './header-blocks.ts';
import { Sender } from './sender.ts';
import { type ServerStream, STREAM_WINDOW } from './stream.ts';
import { type StreamEnd, StreamTable } from './stream-table.ts';

/** The maximum number of concurrent streams. */
const MAX_STREAMS = 100;
/** The connection's receive window, bytes: no stream ever has to wait for the bytes of another. */
const WINDOW_BYTES = MAX_STREAMS * STREAM_WINDOW;
/** The payload of the PING that shows when a client has seen the first GOAWAY. */
const CLOSING = Buffer.from('closing!', 'latin1');

/** What a connection reports. */
export interface ConnectionEvents {
  /** A stream with a request was opened. It needs a receiver by `onRead`, or earlier for `onNeeded`. */
  onRequest(stream: ServerStream, section: ReceivedSection): void;
  /** A part of a request came whose stream has no receiver. Afterwards it has one, or it is closed. */
  onNeeded(stream: ServerStream): void;
  /** All bytes of a read were processed. */
  onRead(): void;
  /** The client's first SETTINGS came. */
  onSettings(): void;
  /** The client has answered the PING of `announceEnd`. */
  onPong(): void;
  /** The client will open no more streams. */
  onLeaving(): void;
  /** A stream was refused: it was malformed, or one too many. */
  onStreamRefused(why: string): void;
  /** The client broke a rule: GOAWAY was sent, and the connection ended. */
  onFailed(error: ConnectionError): void;
}

/** HTTP/2 on one client's socket (RFC 9113): its streams, from their opening to their end. */
export class Connection implements FrameEvents {
  readonly #socket: Duplex;
  readonly #events: ConnectionEvents;
  readonly #floods: Floods;
  readonly #table = new StreamTable();
  readonly #sender: Sender;
  readonly #handler: FrameHandler;
  readonly #reader: FrameReader;
  #isOver = false;
  /** The last stream that is served, after the final GOAWAY. */
  #lastServed = Infinity;

  /** @param now ms; only differences matter */
  constructor(socket: Duplex, headerBytes: number, now: () => number, events: ConnectionEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#floods = new Floods(now);
    this.#sender = new Sender(socket, this.#onEnded, this.#onUnread);
    const { table, sender, floods } = { table: this.#table, sender: this.#sender, floods: this.#floods };
    const bounds = { headerBytes, windowBytes: WINDOW_BYTES, maxStreams: MAX_STREAMS };
    this.#handler = new FrameHandler({ ...bounds, table, sender, floods, events: this });
    this.#reader = new FrameReader(this.#handler);
    this.#sender.settings([
      [SETTING.maxConcurrentStreams, MAX_STREAMS],
      [SETTING.maxHeaderListSize, headerBytes],
      [SETTING.enableConnectProtocol, 1],
      [SETTING.noRfc7540Priorities, 1],
    ]);
    this.#sender.windowUpdate(0, WINDOW_BYTES - INITIAL_WINDOW);
  }

  /** It was ended: nothing more is read. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The client has acknowledged the router's settings. */
  get isAcknowledged(): boolean {
    return this.#handler.isAcknowledged;
  }

  /** Reads the next bytes, which need to be valid during the call only. */
  readonly read = (bytes: Buffer): void => {
    if (this.#isOver) return;
    try {
      this.#reader.read(bytes);
      this.#handler.endRead();
      this.#events.onRead();
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.fail(error);
    }
  };

  /** Announces the end (RFC 9113 §6.8), and asks the client for a sign that it has seen this. */
  announceEnd(): void {
    this.#sender.goaway(MAX_31_BITS, CODE.none);
    this.#sender.ping(0, CLOSING, 0);
  }

  /** Serves no streams but those that are known. */
  refuseLater(): void {
    if (this.#isOver || this.#lastServed !== Infinity) return;
    this.#lastServed = this.#table.lastId;
    this.#sender.goaway(this.#table.lastId, CODE.none);
  }

  /** Ends the connection. Open streams are lost. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sender.end();
    this.#closeAll();
  }

  /** Ends the connection for a fault of the client's. */
  fail(error: ConnectionError): void {
    if (this.#isOver) return;
    this.#sender.goaway(this.#table.lastId, error.code);
    this.end();
    this.#events.onFailed(error);
  }

  /** The socket is closed. */
  stop(): void {
    this.#isOver = true;
    this.#sender.stop();
    this.#closeAll();
  }

  /** Resets streams whose client has opened no window for the rest of a response since `before`, ms. @returns how many */
  resetBlocked(now: number, limitMs: number): number {
    let count = 0;
    for (const stream of this.#table.all()) {
      if (!stream.isBlockedFor(limitMs, now)) continue;
      count++;
      this.#lose(stream, CODE.cancel);
    }
    return count;
  }

  prioritize(stream: ServerStream, priority: Priority): void {
    this.#sender.reorder(stream, priority);
  }

  wake(stream: ServerStream): void {
    this.#sender.wake(stream);
  }

  reset(stream: ServerStream, code: number): void {
    this.#remove(stream, 'reset');
    this.#sender.reset(stream.id, code);
  }

  open(stream: ServerStream, by: number): void {
    this.#sender.windowUpdate(stream.id, by);
  }

  onOpened(stream: ServerStream, section: ReceivedSection): void {
    // RFC 9113 §6.8: later streams are ignored, for the client to send them again elsewhere.
    if (stream.id > this.#lastServed) return;
    this.#table.add(stream);
    if (section.isSelfDependent) return this.onFault(stream, CODE.protocol, 'a stream that depends on itself');
    if (this.#table.size > MAX_STREAMS) return this.onFault(stream, CODE.refusedStream, 'more streams than allowed');
    this.#events.onRequest(stream, section);
  }

  onNeeded(stream: ServerStream): void {
    if (stream.receiver === null) this.#events.onNeeded(stream);
  }

  onWhole(stream: ServerStream, section: ReceivedSection | null): void {
    if (section !== null) this.onNeeded(stream);
    if (stream.isClosed) return;
    if (stream.isShort) return this.onFault(stream, CODE.protocol, 'a body that is shorter than its Content-Length');
    if (section?.isTooLarge) return this.onFault(stream, CODE.calm, 'trailers that are too large');
    const trailers = section?.fields ?? [];
    if (!areTrailers(trailers)) return this.onFault(stream, CODE.protocol, 'malformed trailers');
    stream.isWhole = true;
    stream.receiver?.onEnd(trailers);
    if (stream.isEnded && !stream.isClosed) this.#remove(stream, 'ended');
  }

  onReset(stream: ServerStream): void {
    this.#remove(stream, 'client-reset');
    const isHarmless = stream.receiver?.onLeft() ?? false;
    if (!isHarmless) this.#floods.count('reset');
  }

  onFault(stream: ServerStream, code: number, why: string): void {
    this.#lose(stream, code);
    this.#events.onStreamRefused(why);
    this.#floods.count('fault');
  }

  onStray(id: number, mayBeLate: boolean): void {
    if (id > this.#lastServed) return this.#floods.count('closed');
    if (id === 0 || id > this.#table.lastId) throw new ConnectionError(CODE.protocol, `a frame of stream ${id}`);
    // What was sent before the client knew of the end.
    if (mayBeLate) return;
    this.#floods.count('closed');
    switch (this.#table.endOf(id)) {
      case 'reset':
        return;
      case 'client-reset':
        return this.#sender.reset(id, CODE.streamClosed);
      case 'ended':
        throw new ConnectionError(CODE.streamClosed, `a frame of stream ${id}, which has ended`);
      case null:
        throw new ConnectionError(CODE.protocol, `a frame of stream ${id}, which was skipped`);
    }
  }

  onSettings(): void {
    this.#events.onSettings();
  }

  onPong(): void {
    this.#events.onPong();
  }

  onLeaving(): void {
    this.#events.onLeaving();
  }

  /** Ends a stream that its receiver did not end. */
  #lose(stream: ServerStream, code: number): void {
    this.reset(stream, code);
    stream.receiver?.onLeft();
  }

  #remove(stream: ServerStream, how: StreamEnd): void {
    stream.close();
    this.#sender.forget(stream);
    this.#table.remove(stream.id, how);
  }

  #closeAll(): void {
    for (const stream of this.#table.all()) {
      this.#remove(stream, 'reset');
      stream.receiver?.onLeft();
    }
  }

  /** The end of a stream's response was given to the socket. */
  readonly #onEnded = (stream: ServerStream): void => {
    if (stream.isWhole) this.#remove(stream, 'ended');
    else if (stream.isAbandoned) this.reset(stream, CODE.none);
  };

  readonly #onUnread = (): void => {
    this.stop();
    this.#socket.destroy();
    this.#events.onFailed(new FloodError('unread'));
  };
}
