import type { IncomingMessage } from 'node:http';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import { REPLAY_BYTES } from '../core/limits/client-limits.ts';
import { trailerFields } from '../core/http/trailers.ts';
import type { BackendRequest } from '../backends/backend-request.ts';

/** Told what a body is waiting for, so that somebody can put a limit on it. */
export interface BodyProgress {
  /** Bytes came and went on; more are expected from the client. */
  onBytes(total: number): void;
  /** The backend does not take more for now. */
  onBlocked(): void;
  /** All of it has been handed to the backend. */
  onSent(): void;
}

/**
 * A request's body on its way to a backend. A first part is gathered before there is a connection, and nothing more
 * until a backend has accepted one, so that after a refusal the body is still whole; then it streams, at the pace of
 * the slower side.
 */
export class RequestBody {
  readonly #request: IncomingMessage;
  /** What went out so far; null once it was too much to keep. */
  #kept: Buffer[] | null = [];
  #bytes = 0;
  #out: BackendRequest | null = null;
  #progress: BodyProgress | null = null;
  #isListening = false;
  #isRead = false;
  #isSlow = false;
  /** What still comes is forgotten. */
  #isDropped = false;
  /** Set while a first part is gathered: it is enough, or there will be no more. */
  #onGathered: (() => void) | null = null;

  constructor(request: IncomingMessage) {
    this.#request = request;
  }

  /** Bytes read from the client so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether all that was read could be sent once more. */
  get isReplayable(): boolean {
    return this.#kept !== null;
  }

  /** Whether the client has sent all of it and it was read. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** Whether its client took its time over the first part. */
  get isSlow(): boolean {
    return this.#isSlow;
  }

  /** Reads a first part. Resolves when the body is whole, when there is a good deal of it, or after `patienceMs`. */
  async gather(clock: TimeLimits, patienceMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = new Timer(resolve);
      clock.set(timer, patienceMs);
      this.#onGathered = () => {
        clock.clear(timer);
        resolve();
      };
      this.#listen();
      this.#request.resume();
    });
    this.#onGathered = null;
    this.#isSlow = !this.#isRead && this.#bytes < REPLAY_BYTES;
    if (!this.#isRead) this.#request.pause();
  }

  /** Sends the body to `out`, from its beginning; only while `isReplayable`. Ends `out` after it, with trailers. */
  feed(out: BackendRequest, progress: BodyProgress): void {
    this.#out = out;
    this.#progress = progress;
    for (const chunk of this.#kept ?? []) out.write(chunk);
    out.on('drain', this.#onDrain);
    if (this.#isRead) {
      this.#finish();
      return;
    }
    this.#listen();
    if (out.writableNeedDrain) this.#block();
    else this.#request.resume();
  }

  /** Sends nothing more to the backend. What the client still sends is not read. */
  stop(): void {
    this.#out?.off('drain', this.#onDrain);
    this.#out = null;
    this.#progress = null;
    if (this.#isListening && !this.#isRead) this.#request.pause();
  }

  /** The answer is through, and the backend takes the rest all the same. @param progress told from now on */
  goOn(progress: BodyProgress): void {
    this.#progress = progress;
    if (this.#out?.writableNeedDrain) this.#block();
  }

  /** The backend takes more: for one whose request does not say so any more. */
  drained(): void {
    if (this.#out !== null) this.#onDrain();
  }

  /** Reads the rest, which is for nobody. @param progress told of it */
  drop(progress: BodyProgress): void {
    this.stop();
    this.#progress = progress;
    this.#isDropped = true;
    this.#listen();
    this.#request.resume();
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#request.on('data', this.#onData);
    this.#request.once('end', this.#onEnd);
    // The interruption that follows a broken request comes from the listener; here it only must not be uncaught.
    this.#request.on('error', () => this.#onGathered?.());
    this.#request.once('close', () => this.#onGathered?.());
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isDropped) {
      this.#bytes += chunk.length;
      return this.#progress?.onBytes(this.#bytes);
    }
    // Nobody wants it any more.
    if (this.#out === null && this.#onGathered === null) return;
    this.#bytes += chunk.length;
    if (this.#kept !== null) {
      // What comes before there is a backend is kept in any case: it was sent to nobody yet.
      if (this.#bytes <= REPLAY_BYTES || this.#out === null) this.#kept.push(chunk);
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
  };

  readonly #onEnd = (): void => {
    this.#isRead = true;
    this.#onGathered?.();
    if (this.#out !== null) this.#finish();
    else if (this.#isDropped) this.#progress?.onSent();
  };

  readonly #onDrain = (): void => {
    if (this.#isRead) return;
    this.#progress?.onBytes(this.#bytes);
    this.#request.resume();
  };

  #block(): void {
    this.#request.pause();
    this.#progress?.onBlocked();
  }

  #finish(): void {
    const out = this.#out;
    if (out === null) return;
    const trailers = trailerFields(this.#request.rawTrailers);
    if (trailers.length > 0) out.addTrailers(trailers);
    out.end();
    this.#progress?.onSent();
  }
}
