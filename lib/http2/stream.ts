import { CODE, FLAG, FRAME, HEAD_BYTES, MAX_PAYLOAD, writeHead } from './frames/frames.ts';
import { DEFAULT_PRIORITY, type Priority } from './frames/priority.ts';
import type { Scheduled } from './frames/scheduler.ts';
import { ReceiveWindow, SendWindow } from './frames/windows.ts';

/** How many bytes of a response a stream holds before it asks its receiver to wait. */
const HOLD_BYTES = 65_536;
/** How many bytes a client may send that were not read yet, for each stream. */
export const STREAM_WINDOW = 65_535;

/** What uses a stream. */
export interface StreamReceiver {
  /** Part of the request body. The bytes are valid during the call only; give them back by `consume`. */
  onData(bytes: Buffer): void;
  /** The request is whole. @param trailers names and values in turn */
  onEnd(trailers: readonly string[]): void;
  /**
   * The client has reset the stream or left, or broke a rule. The stream is of no further use.
   * @returns whether the response was sent, or the stream was a tunnel: no work is lost
   */
  onLeft(): boolean;
  /** All that was written was given to the socket. */
  onDrain(): void;
  /** The whole response is in the kernel. */
  onSent(): void;
}

/** What a stream asks of its connection. */
export interface StreamOwner {
  /** The stream has something to send. */
  wake(stream: ServerStream): void;
  /** The stream is over: sends RST_STREAM. */
  reset(stream: ServerStream, code: number): void;
  /** Opens the client's window for the stream. */
  open(stream: ServerStream, by: number): void;
}

/** A field section to send: a response head, or trailers. */
export interface Section {
  /** Null for trailers. */
  readonly status: number | null;
  /** Names in lower case and values in turn. */
  readonly fields: readonly string[];
  /** Nothing follows. */
  readonly isEnd: boolean;
}

/** One stream of a client's connection: its windows, its priority, and what it has to send. */
export class ServerStream implements Scheduled {
  readonly id: number;
  readonly #owner: StreamOwner;
  receiver: StreamReceiver | null = null;
  priority: Priority = DEFAULT_PRIORITY;
  readonly sendWindow: SendWindow;
  /** The client has ended its side. */
  isWhole = false;
  /** The client announced a body of this length; -1 if it did not. */
  expectedBytes = -1;
  #receivedBytes = 0;
  /** Reset, or ended on both sides. */
  isClosed = false;
  /** The end of the response was given to the socket. */
  isEnded = false;
  /** The rest of the request is of no use. */
  isAbandoned = false;
  /** It is in the sender's list of streams with frames that need no window. */
  isDue = false;
  /** It is in the scheduler. */
  isScheduled = false;
  #isEnding = false;
  // Made when they are needed: a stream that waits for its response should be small.
  #receiveWindow: ReceiveWindow | null = null;
  #sections: Section[] | null = null;
  #trailers: readonly string[] | null = null;
  #pieces: (Buffer | string)[] | null = null;
  /** How much of the first piece was sent. */
  #sentOfFirst = 0;
  #pending = 0;
  #isDrainAwaited = false;
  /** How much DATA waited at the last check, and since when. */
  #waiting = 0;
  #waitingSince = 0;

  constructor(id: number, owner: StreamOwner, sendWindow: number) {
    this.id = id;
    this.#owner = owner;
    this.sendWindow = new SendWindow(sendWindow);
  }

  /** How much the client may send. */
  get receiveWindow(): ReceiveWindow {
    return (this.#receiveWindow ??= new ReceiveWindow(STREAM_WINDOW));
  }

  /** No more of the response will be given. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** It has a frame to send that no window holds back. */
  get needsNoWindow(): boolean {
    return !this.isClosed && (this.#sections !== null || (this.#isEnding && this.#pending === 0 && !this.isEnded));
  }

  /** It has DATA to send, and its own window is open. */
  get canSendData(): boolean {
    return !this.isClosed && this.#pending > 0 && this.sendWindow.available > 0;
  }

  /** Sends a response head; a 1xx one may be followed by others. */
  respond(status: number, fields: readonly string[], isEnd: boolean): void {
    if (this.isClosed || this.#isEnding) return;
    this.#isEnding = isEnd;
    (this.#sections ??= []).push({ status, fields, isEnd });
    this.#owner.wake(this);
  }

  /**
   * Sends part of a body.
   * @param data latin1; or bytes, which may change when `onDrain` was called
   * @returns false when the receiver should wait for `onDrain`
   */
  write(data: Buffer | string): boolean {
    if (this.isClosed || this.#isEnding || data.length === 0) return true;
    (this.#pieces ??= []).push(data);
    this.#pending += data.length;
    this.#owner.wake(this);
    this.#isDrainAwaited ||= typeof data !== 'string' || this.#pending >= HOLD_BYTES;
    return !this.#isDrainAwaited;
  }

  /** Copies the bytes that wait: they may change from now on. */
  keep(): void {
    this.#pieces = this.#pieces?.map((piece) => (typeof piece === 'string' ? piece : Buffer.from(piece))) ?? null;
  }

  /** Ends the response. @param trailers names in lower case and values in turn */
  end(trailers: readonly string[] = []): void {
    if (this.isClosed || this.#isEnding) return;
    this.#isEnding = true;
    if (trailers.length > 0) this.#trailers = trailers;
    this.#owner.wake(this);
  }

  /** Ends the stream at once, with an error unless it is `CODE.none`. */
  reset(code: number): void {
    if (!this.isClosed) this.#owner.reset(this, code);
  }

  /** Ends the stream when the response was sent, whether the request is whole or not (RFC 9113 §8.1). */
  abandon(): void {
    if (this.isEnded) this.reset(CODE.none);
    else this.isAbandoned = true;
  }

  /** Gives bytes of the request body back to the client's window. */
  consume(length: number): void {
    if (this.isWhole || this.isClosed) return;
    const opened = this.receiveWindow.take(length);
    if (opened > 0) this.#owner.open(this, opened);
  }

  /** Drops what waits to be sent. */
  close(): void {
    this.isClosed = true;
    this.#sections = null;
    this.#pieces = null;
    this.#pending = 0;
  }

  /** The next section to send, unless DATA is to be sent before it; null when there is none. */
  nextSection(): Section | null {
    const section = this.#sections?.[0];
    if (section !== undefined) return section;
    if (this.#trailers === null || this.#pending > 0 || this.isEnded) return null;
    return { status: null, fields: this.#trailers, isEnd: true };
  }

  /** The section of `nextSection` was sent. */
  sectionSent({ isEnd }: Section): void {
    if (this.#sections !== null && this.#sections.length > 1) this.#sections.shift();
    else this.#sections = null;
    if (isEnd) this.isEnded = true;
  }

  /** Whether an empty DATA frame must end it: there is nothing else that could. */
  get needsEmptyEnd(): boolean {
    return this.#isEnding && !this.isEnded && this.#pending === 0 && this.#trailers === null;
  }

  /** Writes one DATA frame. @param room for it with its head, bytes. @param window of the connection. @returns its length */
  writeData(into: Buffer, at: number, room: number, window: number): number {
    const most = Math.min(MAX_PAYLOAD, room - HEAD_BYTES, window, this.sendWindow.available);
    const length = Math.max(0, Math.min(most, this.#pending));
    let left = length;
    let to = at + HEAD_BYTES;
    while (left > 0) {
      const piece = this.#pieces?.[0] ?? '';
      const from = this.#sentOfFirst;
      const part = Math.min(left, piece.length - from);
      if (typeof piece !== 'string') piece.copy(into, to, from, from + part);
      else into.write(part === piece.length ? piece : piece.slice(from, from + part), to, 'latin1');
      to += part;
      left -= part;
      if (from + part < piece.length) {
        this.#sentOfFirst = from + part;
      } else {
        this.#sentOfFirst = 0;
        this.#pieces?.shift();
      }
    }
    this.#pending -= length;
    this.sendWindow.available -= length;
    if (this.needsEmptyEnd) this.isEnded = true;
    writeHead(into, at, length, FRAME.data, this.isEnded ? FLAG.endStream : 0, this.id);
    return length;
  }

  /** Reports to the receiver that all was given to the socket, if it waits for that. */
  drained(): void {
    if (!this.#isDrainAwaited || this.#pending > 0) return;
    this.#isDrainAwaited = false;
    this.receiver?.onDrain();
  }

  /** Counts a part of the request body. @returns false when it is longer than announced */
  received(length: number): boolean {
    this.#receivedBytes += length;
    return this.expectedBytes < 0 || this.#receivedBytes <= this.expectedBytes;
  }

  /**
   * Whether DATA has waited for the client to open a window for so long, and its receiver does not wait for it.
   * @param now ms; only differences matter
   */
  isBlockedFor(limitMs: number, now: number): boolean {
    if (this.#pending !== this.#waiting || !this.#isEnding) {
      this.#waiting = this.#isEnding ? this.#pending : 0;
      this.#waitingSince = now;
    }
    return this.#waiting > 0 && now - this.#waitingSince >= limitMs;
  }

  /** The request body is shorter than announced. */
  get isShort(): boolean {
    return this.expectedBytes >= 0 && this.#receivedBytes < this.expectedBytes;
  }
}
