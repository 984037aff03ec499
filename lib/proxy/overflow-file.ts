import type { FileHandle } from 'node:fs/promises';
import type { BufferBudget } from '../core/limits/buffer-budget.ts';

/** Bytes that wait to be written: past that the sender has to wait. */
const LAG_BYTES = 65_536;
/** Read at a time. */
const PIECE_BYTES = 65_536;

export interface BufferParts {
  readonly budget: BufferBudget;
  /** Makes a file that nothing else can open. */
  readonly open: () => Promise<FileHandle>;
  /** Called for each file that cannot be made or written. */
  readonly onFault: (site: string, error: unknown) => void;
}

/**
 * The part of a body that is held in a file: written at its end, read from its beginning. If the file cannot be written,
 * what was given stays in memory, and no more should be given.
 */
export class OverflowFile {
  /** Set by the owner: no longer `isLagging`, or `isOver` now. */
  onRoom: (() => void) | null = null;
  readonly #parts: BufferParts;
  readonly #site: string;
  readonly #most: number;
  #file: FileHandle | null = null;
  /** Given, and not in the file yet. */
  #queue: Buffer[] = [];
  #queued = 0;
  #isWriting = false;
  /** Bytes that the file has had. */
  #written = 0;
  #readAt = 0;
  /** Bytes given. */
  #bytes = 0;
  #hasFailed = false;
  #isClosed = false;
  #onProgress: (() => void) | null = null;

  /** @param site that has the share. @param most bytes */
  constructor(parts: BufferParts, site: string, most: number) {
    this.#parts = parts;
    this.#site = site;
    this.#most = most;
    parts.budget.files.add(site, 1);
  }

  /** No more should be given, however long the owner waits. */
  get isOver(): boolean {
    return this.#hasFailed || this.#bytes > this.#most || this.#parts.budget.fileBytes.isSpent(this.#site);
  }

  /** The disk has to catch up. */
  get isLagging(): boolean {
    return this.#queued >= LAG_BYTES && !this.#hasFailed;
  }

  push(bytes: Buffer): void {
    if (this.#isClosed) return;
    const { budget } = this.#parts;
    this.#queue.push(bytes);
    this.#bytes += bytes.length;
    this.#queued += bytes.length;
    budget.fileBytes.add(this.#site, bytes.length);
    budget.memory.add(this.#site, bytes.length);
    if (!this.#isWriting && !this.#hasFailed) void this.#write();
  }

  /** The next bytes; null when all that were given have been read. @throws the file system's error */
  async read(): Promise<Buffer | null> {
    for (;;) {
      if (this.#isClosed) return null;
      if (this.#readAt < this.#written && this.#file !== null) return await this.#readFile(this.#file);
      if (this.#queue.length === 0) return null;
      if (this.#hasFailed) return this.#shift();
      await new Promise<void>((resolve) => {
        this.#onProgress = resolve;
      });
    }
  }

  /** Frees the file and the memory. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { budget } = this.#parts;
    budget.files.add(this.#site, -1);
    budget.fileBytes.add(this.#site, -this.#bytes);
    budget.memory.add(this.#site, -this.#queued);
    this.#queue = [];
    this.#queued = 0;
    this.onRoom = null;
    this.#closeFile();
    this.#progress();
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      this.#file ??= await this.#parts.open();
      for (let piece = this.#queue[0]; piece !== undefined; piece = this.#queue[0]) {
        await writeAll(this.#file, piece, this.#written);
        if (this.#isClosed) break;
        this.#written += piece.length;
        this.#shift();
        this.#progress();
      }
    } catch (error) {
      this.#hasFailed = true;
      if (!this.#isClosed) this.#parts.onFault(this.#site, error);
    }
    this.#isWriting = false;
    // It was closed while it was opened.
    if (this.#isClosed) this.#closeFile();
    this.#progress();
  }

  async #readFile(file: FileHandle): Promise<Buffer> {
    const size = Math.min(PIECE_BYTES, this.#written - this.#readAt);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(size), 0, size, this.#readAt);
    if (bytesRead === 0) throw new Error('the file has become shorter');
    this.#readAt += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  /** Takes the oldest piece from memory. */
  #shift(): Buffer | null {
    const piece = this.#queue.shift() ?? null;
    if (piece === null) return null;
    this.#queued -= piece.length;
    this.#parts.budget.memory.add(this.#site, -piece.length);
    return piece;
  }

  #progress(): void {
    const onProgress = this.#onProgress;
    this.#onProgress = null;
    onProgress?.();
    if (!this.isLagging) this.onRoom?.();
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = null;
    // It waits for what is being read or written. The system frees the file in any case.
    file?.close().catch(() => {});
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
