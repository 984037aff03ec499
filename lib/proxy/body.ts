import type { Readable } from 'node:stream';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import { REPLAY_BYTES } from '../core/limits/client-limits.ts';
import { trailerFields } from '../core/http/trailers.ts';
import type { BackendRequest } from '../backends/backend-request.ts';
import { KeptBody } from './kept-body.ts';
import { SmallPieces } from './small-pieces.ts';

/** What a body is read from: a request, or what was taken of it. */
export interface BodySource extends Pick<Readable, 'on' | 'once' | 'pause' | 'resume' | 'isPaused'> {
  /** Complete at the end of the body. */
  readonly rawTrailers: readonly string[];
}

/** Called with the progress of a body, to set time limits. */
export interface BodyProgress {
  /** Bytes were passed on; more are expected from the client. */
  onBytes(total: number): void;
  /** The backend reads no more for now. */
  onBlocked(): void;
  /** The whole body was given to the backend. */
  onSent(): void;
}

/**
 * Sends a request's body to a backend. A first part is gathered before a backend is chosen. No more is read until one
 * has accepted a connection, so that the whole body can go to another backend after a refusal. Then it streams at the
 * pace of the slower side.
 */
export class RequestBody {
  #source: BodySource;
  /** The bytes sent so far; null once they were too many to keep. */
  #kept: KeptBody | null = new KeptBody();
  readonly #pieces = new SmallPieces((bytes) => this.#take(bytes));
  #bytes = 0;
  #out: BackendRequest | null = null;
  #progress: BodyProgress | null = null;
  #isListening = false;
  #isRead = false;
  #isSlow = false;
  /** The rest of the body is read and dropped. */
  #isDropped = false;
  /** Set while a first part is gathered: call it when that is enough, or no more will come. */
  #onGathered: (() => void) | null = null;

  constructor(request: BodySource) {
    this.#source = request;
  }

  /** Bytes read from the client so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether all bytes read can be sent again. */
  get isReplayable(): boolean {
    return this.#kept !== null;
  }

  /** Whether the whole body was read. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** Whether the backend is awaited, not the client. */
  get isPaused(): boolean {
    return this.#source.isPaused();
  }

  /** Whether the first part came slowly. */
  get isSlow(): boolean {
    return this.#isSlow;
  }

  /** Reads from a buffer instead of the request, before anything was read. @param isWhole the buffer has the whole body */
  readFrom(buffer: BodySource, isWhole: boolean): void {
    this.#source = buffer;
    this.#isSlow = !isWhole;
  }

  /** Reads a first part. Resolves when the body is complete, when REPLAY_BYTES have come, or after `patienceMs`. */
  async gather(clock: TimeLimits, patienceMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = new Timer(resolve);
      clock.set(timer, patienceMs);
      this.#onGathered = () => {
        clock.clear(timer);
        resolve();
      };
      this.#listen();
      this.#source.resume();
    });
    this.#pieces.flush();
    this.#onGathered = null;
    this.#isSlow = !this.#isRead && this.#bytes < REPLAY_BYTES;
    if (!this.#isRead) this.#source.pause();
  }

  /** Sends the body to `out` from its beginning, then ends `out` with the trailers. Only while `isReplayable`. */
  feed(out: BackendRequest, progress: BodyProgress): void {
    this.#out = out;
    this.#progress = progress;
    for (const part of this.#kept?.parts() ?? []) out.write(part);
    out.on('drain', this.#onDrain);
    if (this.#isRead) {
      this.#finish();
      return;
    }
    this.#listen();
    if (out.writableNeedDrain) this.#block();
    else this.#source.resume();
  }

  /** Stops sending to the backend, and reading from the client. */
  stop(): void {
    this.#pieces.flush();
    this.#out?.off('drain', this.#onDrain);
    this.#out = null;
    this.#progress = null;
    if (this.#isListening && !this.#isRead) this.#source.pause();
  }

  /** The response has ended, and the backend still reads the body. @param progress called from now on */
  goOn(progress: BodyProgress): void {
    this.#progress = progress;
    if (this.#out?.writableNeedDrain) this.#block();
  }

  /** The backend reads again: for a request that no longer emits `drain`. */
  drained(): void {
    if (this.#out !== null) this.#onDrain();
  }

  /** Reads and drops the rest. @param progress called from now on */
  drop(progress: BodyProgress): void {
    this.stop();
    this.#progress = progress;
    this.#isDropped = true;
    this.#listen();
    this.#source.resume();
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#source.on('data', this.#onData);
    this.#source.once('end', this.#onEnd);
    // The request server interrupts the exchange; here the error only has to be caught.
    this.#source.on('error', () => this.#onGathered?.());
    this.#source.once('close', () => this.#onGathered?.());
  }

  readonly #onData = (chunk: Buffer): void => this.#pieces.add(chunk);

  #take(chunk: Buffer): void {
    if (this.#isDropped) {
      this.#bytes += chunk.length;
      return this.#progress?.onBytes(this.#bytes);
    }
    // The body is not wanted any more.
    if (this.#out === null && this.#onGathered === null) return;
    this.#bytes += chunk.length;
    if (this.#kept !== null) {
      // Before there is a backend everything is kept: nothing was sent yet.
      if (this.#bytes <= REPLAY_BYTES || this.#out === null) this.#kept.add(chunk);
      else this.#kept = null;
    }
    const out = this.#out;
    if (out === null) {
      if (this.#bytes >= REPLAY_BYTES) this.#onGathered?.();
      return;
    }
    const isFlowing = out.write(chunk);
    this.#progress?.onBytes(this.#bytes);
    if (!isFlowing) this.#block();
  }

  readonly #onEnd = (): void => {
    this.#pieces.flush();
    this.#isRead = true;
    this.#onGathered?.();
    if (this.#out !== null) this.#finish();
    else if (this.#isDropped) this.#progress?.onSent();
  };

  readonly #onDrain = (): void => {
    if (this.#isRead) return;
    this.#progress?.onBytes(this.#bytes);
    this.#source.resume();
  };

  #block(): void {
    this.#source.pause();
    this.#progress?.onBlocked();
  }

  #finish(): void {
    const out = this.#out;
    if (out === null) return;
    const trailers = trailerFields(this.#source.rawTrailers);
    if (trailers.length > 0) out.addTrailers(trailers);
    out.end();
    this.#progress?.onSent();
  }
}
