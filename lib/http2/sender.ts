import type { Duplex } from 'node:stream';
import { FLAG, FRAME, HEAD_BYTES, write32, writeHead } from './frames/frames.ts';
import type { Priority } from './frames/priority.ts';
import { Scheduler } from './frames/scheduler.ts';
import { type Setting, settingsBytes, writeSettings } from './frames/settings.ts';
import { INITIAL_WINDOW, SendWindow } from './frames/windows.ts';
import { giveBuffer, OUTPUT_BYTES, outgoing, takeBuffer } from './output-buffers.ts';
import { SectionWriter } from './section-writer.ts';
import type { ServerStream } from './stream.ts';

/**
 * While so many bytes wait in the socket, no more are given to it, so that an urgent response need not wait for them.
 */
const IN_FLIGHT_BYTES = 65_536;
/** A DATA frame is not begun with less room than this, unless it fits. */
const LEAST_ROOM = 1_024;

/** Bytes that were given to the socket. */
interface Write {
  readonly length: number;
  /** To be given back; null when the bytes were copied. */
  readonly buffer: Buffer | null;
  /** The streams whose responses end in it. */
  readonly ends: readonly ServerStream[];
}

/**
 * Sends the frames of one connection: all that its streams have to send within a turn of the event loop goes to the
 * socket in one write. Control frames go first, then heads, then DATA in the order of the Scheduler.
 */
export class Sender {
  readonly #socket: Duplex;
  readonly #onEnded: (stream: ServerStream) => void;
  readonly #onUnread: () => void;
  readonly #scheduler = new Scheduler<ServerStream>();
  readonly sections = new SectionWriter();
  /** The connection's window. */
  readonly window = new SendWindow(INITIAL_WINDOW);
  /** Streams with frames that need no window. */
  #due: ServerStream[] = [];
  #buffer: Buffer | null = null;
  #length = 0;
  #ends: ServerStream[] = [];
  readonly #writes: Write[] = [];
  #inFlight = 0;
  #isAwake = false;
  #isSending = false;
  #isOver = false;
  #dataFrames = 0;

  /**
   * @param onEnded called when the end of a stream's response was given to the socket
   * @param onUnread called when too many control frames wait for a client that does not read; it must call `stop`
   */
  constructor(socket: Duplex, onEnded: (stream: ServerStream) => void, onUnread: () => void) {
    this.#socket = socket;
    this.#onEnded = onEnded;
    this.#onUnread = onUnread;
  }

  /** How many DATA frames were sent since the last call. */
  takeFrameCount(): number {
    const count = this.#dataFrames;
    this.#dataFrames = 0;
    return count;
  }

  /** Sends what the stream has, as far as windows allow. */
  wake(stream: ServerStream): void {
    if (this.#isOver) return;
    if (!stream.isDue && stream.needsNoWindow) {
      stream.isDue = true;
      this.#due.push(stream);
    }
    if (!stream.isScheduled && stream.canSendData) {
      stream.isScheduled = true;
      this.#scheduler.add(stream);
    }
    if (stream.isDue || stream.isScheduled) this.#wakeUp();
  }

  /** Changes the stream's priority. */
  reorder(stream: ServerStream, priority: Priority): void {
    if (stream.isScheduled) this.#scheduler.remove(stream);
    stream.priority = priority;
    if (stream.isScheduled) this.#scheduler.add(stream);
  }

  /** Sends no DATA of the stream until `wake`: its window was closed. */
  suspend(stream: ServerStream): void {
    if (stream.isScheduled) this.#scheduler.remove(stream);
    stream.isScheduled = false;
  }

  /** Sends nothing more of the stream. */
  forget(stream: ServerStream): void {
    this.suspend(stream);
    if (stream.isDue) this.#due.splice(this.#due.indexOf(stream), 1);
    stream.isDue = false;
  }

  /** The connection's window was opened. */
  opened(): void {
    if (this.#scheduler.size > 0) this.#wakeUp();
  }

  settings(settings: readonly Setting[]): void {
    const at = this.#reserve(settingsBytes(settings));
    if (this.#buffer !== null) this.#length = writeSettings(this.#buffer, at, settings);
  }

  acknowledgeSettings(): void {
    this.#control(0, FRAME.settings, FLAG.ack, 0);
  }

  /** @param payload eight bytes at `begin` */
  ping(flags: number, payload: Buffer, begin: number): void {
    const at = this.#control(8, FRAME.ping, flags, 0);
    if (this.#buffer !== null) payload.copy(this.#buffer, at, begin, begin + 8);
  }

  reset(id: number, code: number): void {
    const at = this.#control(4, FRAME.reset, 0, id);
    if (this.#buffer !== null) write32(this.#buffer, at, code);
  }

  windowUpdate(id: number, by: number): void {
    const at = this.#control(4, FRAME.windowUpdate, 0, id);
    if (this.#buffer !== null) write32(this.#buffer, at, by);
  }

  goaway(lastId: number, code: number): void {
    const at = this.#control(8, FRAME.goaway, 0, 0);
    if (this.#buffer !== null) write32(this.#buffer, write32(this.#buffer, at, lastId), code);
  }

  /** Gives what was written to the socket, and ends it. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#due = [];
    if (this.#length > 0) this.#write();
    this.#releaseBuffer();
    this.#socket.end();
  }

  /** The socket is closed: releases memory. */
  stop(): void {
    this.#isOver = true;
    this.#due = [];
    this.#releaseBuffer();
  }

  #releaseBuffer(): void {
    if (this.#buffer !== null) giveBuffer(this.#buffer);
    this.#buffer = null;
    this.#length = 0;
  }

  #control(length: number, type: number, flags: number, id: number): number {
    const at = this.#reserve(HEAD_BYTES + length);
    if (this.#buffer === null) return 0;
    this.#length = at + HEAD_BYTES + length;
    return writeHead(this.#buffer, at, length, type, flags, id);
  }

  /** Makes room for a control frame. @returns where it goes; there is no buffer when the connection is over */
  #reserve(bytes: number): number {
    if (this.#isOver) return 0;
    if (this.#length + bytes > OUTPUT_BYTES) {
      // A client that makes the router send control frames, and reads none.
      if (this.#inFlight >= IN_FLIGHT_BYTES) {
        this.#onUnread();
        return 0;
      }
      this.#write();
    }
    this.#buffer ??= takeBuffer();
    this.#wakeUp();
    return this.#length;
  }

  #wakeUp(): void {
    if (this.#isAwake || this.#inFlight >= IN_FLIGHT_BYTES) return;
    this.#isAwake = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isAwake = false;
    if (this.#isOver || this.#isSending) return;
    this.#isSending = true;
    while (this.#inFlight < IN_FLIGHT_BYTES) {
      this.#writeSections();
      this.#writeData();
      if (this.#length === 0) break;
      this.#write();
      if (this.#isOver) break;
    }
    this.#isSending = false;
  };

  /** Writes heads, trailers and empty ends, as far as there is room. */
  #writeSections(): void {
    let done = 0;
    for (const stream of this.#due) {
      // Before its end: a stream that is over removes itself from the list otherwise.
      stream.isDue = false;
      if (!this.#writeSectionsOf(stream)) {
        stream.isDue = true;
        break;
      }
      done++;
    }
    if (done === this.#due.length) this.#due = [];
    else this.#due.splice(0, done);
  }

  /** @returns false when there is no room */
  #writeSectionsOf(stream: ServerStream): boolean {
    for (let section = stream.nextSection(); section !== null; section = stream.nextSection()) {
      const bound = this.sections.boundOf(section);
      if (this.#length > 0 && this.#length + bound > OUTPUT_BYTES) return false;
      this.#buffer ??= takeBuffer(bound);
      this.#length = this.sections.write(section, stream.id, this.#buffer, this.#length);
      stream.sectionSent(section);
      if (section.isEnd) this.#ended(stream);
    }
    if (!stream.needsEmptyEnd) return true;
    if (this.#length + HEAD_BYTES > OUTPUT_BYTES) return false;
    this.#writeFrame(stream);
    return true;
  }

  #writeData(): void {
    while (this.window.available > 0 && OUTPUT_BYTES - this.#length >= LEAST_ROOM) {
      const stream = this.#scheduler.next();
      if (stream === null) return;
      this.#writeFrame(stream);
      if (!stream.isEnded) stream.drained();
      if (!stream.canSendData) this.suspend(stream);
      // Trailers follow at once: a stream that is done makes room for another.
      if (stream.needsNoWindow && !stream.isDue && !this.#writeSectionsOf(stream)) {
        stream.isDue = true;
        this.#due.push(stream);
      }
    }
  }

  #writeFrame(stream: ServerStream): void {
    this.#buffer ??= takeBuffer();
    const room = OUTPUT_BYTES - this.#length;
    const length = stream.writeData(this.#buffer, this.#length, room, this.window.available);
    this.window.available -= length;
    this.#length += HEAD_BYTES + length;
    this.#dataFrames++;
    if (stream.isEnded) this.#ended(stream);
  }

  #ended(stream: ServerStream): void {
    this.#ends.push(stream);
    this.#onEnded(stream);
  }

  /** Gives the buffer to the socket. */
  #write(): void {
    const buffer = this.#buffer;
    if (buffer === null) return;
    const bytes = outgoing(buffer, this.#length);
    const isCopied = bytes.buffer !== buffer.buffer;
    this.#writes.push({
      length: bytes.length,
      buffer: isCopied ? null : buffer,
      ends: this.#ends,
    });
    this.#inFlight += bytes.length;
    this.#ends = [];
    this.#buffer = null;
    this.#length = 0;
    if (isCopied) giveBuffer(buffer);
    this.#socket.write(bytes, this.#onWritten);
  }

  /** The oldest write is in the kernel, or the socket has failed. */
  readonly #onWritten = (error?: Error | null): void => {
    const write = this.#writes.shift();
    if (write === undefined) return;
    this.#inFlight -= write.length;
    if (write.buffer !== null) giveBuffer(write.buffer);
    if (error) return;
    for (const stream of write.ends) stream.receiver?.onSent();
    if (this.#due.length > 0 || this.#scheduler.size > 0 || this.#length > 0) this.#wakeUp();
  };
}
