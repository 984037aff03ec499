import { CODE, ConnectionError, FLAG, FRAME, read31 } from './frames/frames.ts';
import type { Floods } from './frames/floods.ts';
import type { FrameSink } from './frames/frame-reader.ts';
import { priorityOf } from './frames/priority.ts';
import { readSettings } from './frames/settings.ts';
import { INITIAL_WINDOW, ReceiveWindow } from './frames/windows.ts';
import { EarlyPriorities } from './early-priorities.ts';
import { HeaderBlocks, type ReceivedSection } from './header-blocks.ts';
import type { Sender } from './sender.ts';
import { SMALL_BYTES, SmallData } from './small-data.ts';
import { ServerStream, type StreamOwner } from './stream.ts';
import type { StreamTable } from './stream-table.ts';

/** How many WINDOW_UPDATE frames a client may send for each DATA frame that it receives. */
const UPDATES_PER_DATA = 4;

/** What a frame does to a connection beyond one stream's bytes. */
export interface FrameEvents extends StreamOwner {
  /** A stream was opened, and is in the table. */
  onOpened(stream: ServerStream, section: ReceivedSection): void;
  /** A part of the request came. Makes sure that the stream has a receiver, or is closed. */
  onNeeded(stream: ServerStream): void;
  /** A stream's request is whole. */
  onWhole(stream: ServerStream, section: ReceivedSection | null): void;
  /** The client has reset a stream. */
  onReset(stream: ServerStream): void;
  /** The client broke a rule about one stream: sends RST_STREAM. */
  onFault(stream: ServerStream, code: number, why: string): void;
  /** A frame came for a stream that is not open. */
  onStray(id: number, mayBeIdle: boolean): void;
  onSettings(): void;
  /** A PING was answered. */
  onPong(): void;
  /** The client will open no more streams. */
  onLeaving(): void;
}

/** What a handler uses of its connection. */
export interface HandlerParts {
  readonly headerBytes: number;
  /** The size of the connection's receive window. */
  readonly windowBytes: number;
  /** The maximum number of concurrent streams. */
  readonly maxStreams: number;
  readonly table: StreamTable;
  readonly sender: Sender;
  readonly floods: Floods;
  readonly events: FrameEvents;
}

/** Acts on the frames of one connection. Throws a ConnectionError for what ends it. */
export class FrameHandler implements FrameSink {
  readonly #table: StreamTable;
  readonly #sender: Sender;
  readonly #floods: Floods;
  readonly #events: FrameEvents;
  readonly #blocks: HeaderBlocks;
  readonly #window: ReceiveWindow;
  readonly #maxStreams: number;
  readonly #early = new EarlyPriorities();
  /** The client's SETTINGS_INITIAL_WINDOW_SIZE. */
  #initialWindow = INITIAL_WINDOW;
  #hasSettings = false;
  /** The client has acknowledged the router's settings. */
  isAcknowledged = false;
  /** The stream of the DATA frame that is being read; null when its bytes are dropped. */
  #dataStream: ServerStream | null = null;
  #isDataEnd = false;
  #contentBytes = 0;
  readonly #small = new SmallData();
  /** WINDOW_UPDATE frames that were not balanced by DATA frames. */
  #updates = 0;

  constructor({ headerBytes, windowBytes, maxStreams, table, sender, floods, events }: HandlerParts) {
    this.#table = table;
    this.#sender = sender;
    this.#floods = floods;
    this.#events = events;
    this.#blocks = new HeaderBlocks(headerBytes);
    this.#window = new ReceiveWindow(windowBytes);
    this.#maxStreams = maxStreams;
  }

  onDataHead(flags: number, id: number, length: number): void {
    this.#check(FRAME.data, flags);
    this.#dataStream = null;
    this.#isDataEnd = (flags & FLAG.endStream) !== 0;
    this.#contentBytes = 0;
    if (!this.#window.receive(length)) throw new ConnectionError(CODE.flowControl, 'DATA beyond the window');
    // Given back at once: the windows of the streams bound the memory, and bytes that are dropped count, too.
    const opened = this.#window.take(length);
    if (opened > 0) this.#sender.windowUpdate(0, opened);
    const stream = this.#table.get(id);
    if (stream === undefined) return this.#events.onStray(id, false);
    if (stream.isWhole) return this.#events.onFault(stream, CODE.streamClosed, 'DATA after the end');
    if (!stream.receiveWindow.receive(length)) {
      return this.#events.onFault(stream, CODE.flowControl, 'DATA beyond the window');
    }
    this.#dataStream = stream;
  }

  onData(bytes: Buffer, begin: number, end: number): void {
    this.#contentBytes += end - begin;
    const stream = this.#dataStream;
    if (stream === null || stream.isClosed) return;
    this.#events.onNeeded(stream);
    if (stream.isClosed) return;
    if (!stream.received(end - begin)) {
      return this.#events.onFault(stream, CODE.protocol, 'a body that is longer than its Content-Length');
    }
    if (end - begin < SMALL_BYTES) return this.#small.add(stream, bytes, begin, end);
    this.#small.deliver(stream);
    stream.receiver?.onData(bytes.subarray(begin, end));
  }

  onDataEnd(padding: number): void {
    if (this.#contentBytes === 0 && !this.#isDataEnd) this.#floods.count('empty');
    const stream = this.#dataStream;
    this.#dataStream = null;
    if (stream === null || stream.isClosed) return;
    if (padding > 0) stream.consume(padding);
    if (!this.#isDataEnd) return;
    this.#small.deliver(stream);
    if (!stream.isClosed) this.#events.onWhole(stream, null);
  }

  /** All bytes of a read were processed. */
  endRead(): void {
    this.#small.deliverAll();
  }

  onFrame(type: number, flags: number, id: number, bytes: Buffer, begin: number, end: number): void {
    this.#check(type, flags);
    const length = end - begin;
    switch (type) {
      case FRAME.headers:
        if (id % 2 === 0) throw new ConnectionError(CODE.protocol, `HEADERS of stream ${id}`);
        if (length === 0) this.#floods.count('empty');
        return this.#onSection(this.#blocks.begin(flags, id, bytes, begin, end));
      case FRAME.continuation:
        if (length === 0) this.#floods.count('empty');
        return this.#onSection(this.#blocks.proceed(flags, id, bytes, begin, end));
      case FRAME.priority:
        return this.#onPriority(id, bytes, begin, length);
      case FRAME.reset:
        return this.#onReset(id, length);
      case FRAME.settings:
        return this.#onSettings(flags, id, bytes, begin, end);
      case FRAME.pushPromise:
        throw new ConnectionError(CODE.protocol, 'PUSH_PROMISE from a client');
      case FRAME.ping:
        return this.#onPing(flags, id, bytes, begin, length);
      case FRAME.goaway:
        ofConnection(id, 'GOAWAY');
        expect(length >= 8, 'GOAWAY', length);
        return this.#events.onLeaving();
      case FRAME.windowUpdate:
        expect(length === 4, 'WINDOW_UPDATE', length);
        return this.#onWindowUpdate(id, read31(bytes, begin));
      case FRAME.priorityUpdate:
        return this.#onPriorityUpdate(id, bytes, begin, end);
      default:
        // RFC 9113 §5.5: unknown types are ignored.
        this.#floods.count('empty');
    }
  }

  /** Whether a frame may come now. */
  #check(type: number, flags: number): void {
    if (this.#blocks.isOpen && type !== FRAME.continuation) {
      throw new ConnectionError(CODE.protocol, 'a frame within a field block');
    }
    if (!this.#hasSettings && (type !== FRAME.settings || (flags & FLAG.ack) !== 0)) {
      throw new ConnectionError(CODE.protocol, 'the first frame is not SETTINGS');
    }
  }

  #onSection(section: ReceivedSection | null): void {
    if (section === null) return;
    const { id } = section;
    const open = this.#table.get(id);
    if (open !== undefined) return this.#onTrailers(open, section);
    if (id <= this.#table.lastId) return this.#events.onStray(id, false);
    const stream = new ServerStream(id, this.#events, this.#initialWindow);
    stream.isWhole = section.isEnd;
    stream.priority = this.#early.take(id);
    this.#events.onOpened(stream, section);
  }

  #onTrailers(stream: ServerStream, section: ReceivedSection): void {
    if (stream.isWhole) return this.#events.onFault(stream, CODE.streamClosed, 'HEADERS after the end');
    if (!section.isEnd) return this.#events.onFault(stream, CODE.protocol, 'HEADERS within a body');
    this.#small.deliver(stream);
    if (!stream.isClosed) this.#events.onWhole(stream, section);
  }

  #onPriority(id: number, bytes: Buffer, begin: number, length: number): void {
    if (id === 0) throw new ConnectionError(CODE.protocol, 'PRIORITY of no stream');
    this.#floods.count('priority');
    const isWrong = length !== 5;
    if (!isWrong && read31(bytes, begin) !== id) return;
    const code = isWrong ? CODE.frameSize : CODE.protocol;
    const stream = this.#table.get(id);
    // RST_STREAM cannot be sent for a stream that is idle.
    if (stream === undefined) throw new ConnectionError(code, 'a malformed PRIORITY');
    this.#events.onFault(stream, code, 'a malformed PRIORITY');
  }

  #onReset(id: number, length: number): void {
    expect(length === 4, 'RST_STREAM', length);
    const stream = this.#table.get(id);
    if (stream !== undefined) this.#events.onReset(stream);
    else if (id === 0 || id > this.#table.lastId) this.#events.onStray(id, false);
    else this.#floods.count('closed');
  }

  #onSettings(flags: number, id: number, bytes: Buffer, begin: number, end: number): void {
    ofConnection(id, 'SETTINGS');
    if ((flags & FLAG.ack) !== 0) {
      expect(begin === end, 'SETTINGS', end - begin);
      this.isAcknowledged = true;
      return this.#blocks.acknowledged();
    }
    this.#floods.count('settings');
    const { headerTableSize, lowestTableSize, initialWindowSize } = readSettings(bytes, begin, end);
    if (headerTableSize !== undefined)
      this.#sender.sections.limitTable(lowestTableSize ?? headerTableSize, headerTableSize);
    if (initialWindowSize !== undefined) {
      const by = initialWindowSize - this.#initialWindow;
      this.#initialWindow = initialWindowSize;
      for (const stream of this.#table.all()) this.#grow(stream, by);
    }
    this.#sender.acknowledgeSettings();
    const isFirst = !this.#hasSettings;
    this.#hasSettings = true;
    if (isFirst) this.#events.onSettings();
  }

  #grow(stream: ServerStream, by: number): void {
    if (!stream.sendWindow.grow(by))
      throw new ConnectionError(CODE.flowControl, 'SETTINGS that opens a window too far');
    if (by > 0) this.#events.wake(stream);
    else if (!stream.canSendData) this.#sender.suspend(stream);
  }

  #onPing(flags: number, id: number, bytes: Buffer, begin: number, length: number): void {
    ofConnection(id, 'PING');
    expect(length === 8, 'PING', length);
    if ((flags & FLAG.ack) !== 0) return this.#events.onPong();
    this.#floods.count('ping');
    this.#sender.ping(FLAG.ack, bytes, begin);
  }

  #onWindowUpdate(id: number, by: number): void {
    this.#updates = Math.max(0, this.#updates - this.#sender.takeFrameCount() * UPDATES_PER_DATA) + 1;
    if (this.#updates > UPDATES_PER_DATA) this.#floods.count('window-update');
    if (id === 0) {
      if (by === 0) throw new ConnectionError(CODE.protocol, 'WINDOW_UPDATE by 0');
      if (!this.#sender.window.grow(by)) throw new ConnectionError(CODE.flowControl, 'a window beyond 2^31-1');
      return this.#sender.opened();
    }
    const stream = this.#table.get(id);
    if (stream === undefined) return this.#events.onStray(id, true);
    if (by === 0) return this.#events.onFault(stream, CODE.protocol, 'WINDOW_UPDATE by 0');
    if (!stream.sendWindow.grow(by)) return this.#events.onFault(stream, CODE.flowControl, 'a window beyond 2^31-1');
    this.#events.wake(stream);
  }

  #onPriorityUpdate(id: number, bytes: Buffer, begin: number, end: number): void {
    ofConnection(id, 'PRIORITY_UPDATE');
    expect(end - begin >= 4, 'PRIORITY_UPDATE', end - begin);
    this.#floods.count('priority');
    const of = read31(bytes, begin);
    // Ids of the client's streams are odd; the router opens none (RFC 9218 §7.1).
    if (of % 2 === 0) throw new ConnectionError(CODE.protocol, `PRIORITY_UPDATE of stream ${of}`);
    const value = bytes.toString('latin1', begin + 4, end);
    const stream = this.#table.get(of);
    if (stream !== undefined) return this.#sender.reorder(stream, priorityOf(value, stream.priority));
    if (of <= this.#table.lastId || this.#early.set(of, value, this.#maxStreams - this.#table.size)) return;
    // Before the client has acknowledged it, it need not know the limit.
    if (this.isAcknowledged) throw new ConnectionError(CODE.protocol, 'PRIORITY_UPDATE of too many streams');
  }
}

function expect(isRight: boolean, what: string, length: number): void {
  if (!isRight) throw new ConnectionError(CODE.frameSize, `${what} of ${length} bytes`);
}

function ofConnection(id: number, what: string): void {
  if (id !== 0) throw new ConnectionError(CODE.protocol, `${what} of a stream`);
}
