import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { KeptBody } from './kept-body.ts';
import { type BufferParts, OverflowFile } from './overflow-file.ts';

/** Of one body in memory, bytes: what is beyond that is in a file. */
const MEMORY_BYTES = 65_536;

/**
 * A request's body, or its first part, that was taken before a backend is asked: in memory, and then in a file. It is read
 * once, as the request itself would be; behind a first part it is the rest of the request.
 */
export class BufferedBody extends Readable {
  readonly #request: IncomingMessage;
  readonly #parts: BufferParts;
  readonly #site: string;
  readonly #most: number;
  #kept: KeptBody | null = new KeptBody();
  #inMemory = 0;
  #bytes = 0;
  #file: OverflowFile | null = null;
  #isReadingFile = false;
  #isPassingRest = false;

  /** @param site that has the share. @param most bytes */
  constructor(request: IncomingMessage, parts: BufferParts, site: string, most: number) {
    super({ highWaterMark: MEMORY_BYTES });
    this.#request = request;
    this.#parts = parts;
    this.#site = site;
    this.#most = most;
  }

  /** Bytes taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The request's. */
  get rawTrailers(): readonly string[] {
    return this.#request.rawTrailers;
  }

  /** No more may be taken. */
  get isFull(): boolean {
    // A body of just that size is complete: it must not count as one that is still coming.
    if (this.#bytes > this.#most) return true;
    if (this.#file !== null) return this.#file.isOver;
    return !this.#hasMemory && !this.#parts.budget.mayOpen(this.#site);
  }

  /** The disk has to catch up. */
  get isLagging(): boolean {
    return this.#file?.isLagging === true;
  }

  /** Called when the disk has caught up, or cannot. */
  set onRoom(onRoom: () => void) {
    if (this.#file !== null) this.#file.onRoom = onRoom;
  }

  get #hasMemory(): boolean {
    return this.#inMemory < MEMORY_BYTES && !this.#parts.budget.memory.isSpent(this.#site);
  }

  /** Takes bytes. Call it before this is read. */
  keep(bytes: Buffer): void {
    if (this.destroyed) return;
    this.#bytes += bytes.length;
    if (this.#file === null && this.#hasMemory) {
      this.#inMemory += bytes.length;
      this.#parts.budget.memory.add(this.#site, bytes.length);
      this.#kept?.add(bytes);
      return;
    }
    this.#file ??= new OverflowFile(this.#parts, this.#site, this.#most);
    this.#file.push(bytes);
  }

  override _read(): void {
    this.#goOn();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#freeMemory();
    this.#file?.close();
    this.#file = null;
    this.#request.off('data', this.#onData).off('end', this.#onEnd);
    done(error);
  }

  #goOn(): void {
    if (this.#kept !== null) return this.#passKept(this.#kept);
    if (this.#file !== null) return void this.#passFile(this.#file);
    if (this.#isPassingRest) this.#request.resume();
    else this.#passRest();
  }

  #passKept(kept: KeptBody): void {
    const parts = kept.parts();
    this.#freeMemory();
    for (const part of parts) this.push(part);
    if (parts.length === 0) this.#goOn();
  }

  async #passFile(file: OverflowFile): Promise<void> {
    if (this.#isReadingFile) return;
    this.#isReadingFile = true;
    try {
      const bytes = await file.read();
      this.#isReadingFile = false;
      if (this.destroyed) return;
      if (bytes !== null) return void this.push(bytes);
      file.close();
      this.#file = null;
      this.#goOn();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #passRest(): void {
    this.#isPassingRest = true;
    if (this.#request.readableEnded) return this.#onEnd();
    this.#request.on('data', this.#onData).once('end', this.#onEnd);
    this.#request.resume();
  }

  readonly #onData = (bytes: Buffer): void => {
    if (!this.push(bytes)) this.#request.pause();
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };

  #freeMemory(): void {
    this.#kept = null;
    this.#parts.budget.memory.add(this.#site, -this.#inMemory);
    this.#inMemory = 0;
  }
}
