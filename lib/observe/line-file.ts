/** Appends lines to a file without blocking: two buffers take turns, with one write at a time. */
import { closeSync, write, writeSync } from 'node:fs';
import { openLog, type Owner } from '../files/open-log.ts';

const BUFFER_BYTES = 262_144;
/** A buffer with so many bytes is written at once. */
const FLUSH_BYTES = 65_536;
/** Otherwise lines are collected for this long, ms. */
const FLUSH_MS = 100;
/** A write to a pipe is atomic up to this size (POSIX PIPE_BUF): larger ones could mix with other workers' lines. */
const PIPE_BYTES = 4_096;
/** How long the end of the process waits for a pipe that is not being read, ms. */
const PATIENCE_MS = 1_000;
const STDOUT = 1;
/** Where lines start in a buffer: the byte before them is for a line end, if the last write ended within a line. */
const FIRST = 1;
const LINE_END = 0x0a;

/** A file to append to, or `-` for standard output. */
export class LineFile {
  readonly #path: string;
  readonly #owner: Owner | null;
  readonly #onFault: (cause: Error) => void;
  #fd: number;
  #filling = newBuffer();
  #writing = newBuffer();
  #filled = FIRST;
  /** The last write failed within a line, so that the file ends with half of it. */
  #isTorn = false;
  /** The file of the write in progress, which `reopen` may have replaced meanwhile. */
  #writingTo: number | null = null;
  #onWritten: () => void = () => {};
  #timer: NodeJS.Timeout | null = null;
  #dropped = 0;

  /**
   * Opens `path` for appending. @throws the system's error, or UnsafePathError
   * @param owner the owner of the file, while this process is root; null leaves the owner
   * @param onFault called for each failed write; the lines of that write are lost
   */
  constructor(path: string, owner: Owner | null, onFault: (cause: Error) => void) {
    this.#path = path;
    this.#owner = owner;
    this.#onFault = onFault;
    this.#fd = path === '-' ? STDOUT : openLog(path, owner);
  }

  /** How many lines were lost since the start, because the disk was too slow or failed. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a line of ASCII or latin1, with its line end. Never blocks; drops the line when both buffers are full. */
  append(line: string): void {
    if (this.#filled + line.length > FIRST + BUFFER_BYTES) {
      this.#dropped++;
      return;
    }
    this.#filled += this.#filling.write(line, this.#filled, 'latin1');
    if (this.#filled >= FIRST + FLUSH_BYTES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /** Opens the path again, after the file was moved away. @throws as the constructor, and keeps the old file */
  reopen(): void {
    if (this.#path === '-') return;
    this.flushSync();
    const fd = openLog(this.#path, this.#owner);
    const old = this.#fd;
    this.#fd = fd;
    this.#isTorn = false;
    // A write in progress still uses the old descriptor, whose number could be reused: that write closes it.
    if (old !== this.#writingTo) closeSync(old);
  }

  /** Writes what is left. Resolves when everything is in the file. */
  async close(): Promise<void> {
    if (this.#writingTo !== null) {
      await new Promise<void>((resolve) => {
        this.#onWritten = resolve;
        setTimeout(resolve, PATIENCE_MS);
      });
    }
    this.flushSync();
  }

  /**
   * Writes what is left synchronously, before the process exits. Lines of a write in progress are left to that write.
   */
  flushSync(): void {
    const deadline = performance.now() + PATIENCE_MS;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const end = this.#filled;
    if (end === FIRST) return;
    this.#filled = FIRST;
    let at = this.#start();
    while (at < end) {
      try {
        at += writeSync(this.#fd, this.#filling, at, this.#pieceEnd(this.#filling, at, end) - at);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'EAGAIN' && performance.now() < deadline) continue;
        this.#fail(this.#fd, this.#filling, at, end, cause as Error);
        return;
      }
    }
  }

  #flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#writingTo !== null || this.#filled === FIRST) return;
    [this.#filling, this.#writing] = [this.#writing, this.#filling];
    const end = this.#filled;
    this.#filled = FIRST;
    this.#writingTo = this.#fd;
    this.#write(this.#fd, this.#start(), end);
  }

  /** Where the next write starts in a buffer. */
  #start(): number {
    const start = this.#isTorn ? FIRST - 1 : FIRST;
    this.#isTorn = false;
    return start;
  }

  /** A write failed after `at`. */
  #fail(fd: number, buffer: Buffer, at: number, end: number, cause: Error): void {
    if (fd === this.#fd) this.#isTorn = at < FIRST || buffer[at - 1] !== LINE_END;
    this.#dropped += lines(buffer, Math.max(at, FIRST), end);
    this.#onFault(cause);
  }

  #write(fd: number, at: number, end: number): void {
    const length = this.#pieceEnd(this.#writing, at, end) - at;
    write(fd, this.#writing, at, length, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        // The pipe's reader is slow: tries again later.
        setTimeout(() => this.#write(fd, at, end), 10);
        return;
      }
      if (error) this.#fail(fd, this.#writing, at, end, error);
      else if (at + written < end) {
        this.#write(fd, at + written, end);
        return;
      }
      this.#writingTo = null;
      if (fd !== this.#fd) closeSync(fd);
      this.#onWritten();
      if (this.#filled > FIRST) this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
    });
  }

  /** Where the next piece ends: for standard output, after the last whole line that fits PIPE_BYTES. */
  #pieceEnd(buffer: Buffer, at: number, end: number): number {
    if (this.#path !== '-' || end - at <= PIPE_BYTES) return end;
    const lineEnd = buffer.lastIndexOf(LINE_END, at + PIPE_BYTES - 1) + 1;
    return lineEnd > at ? lineEnd : at + PIPE_BYTES;
  }
}

function newBuffer(): Buffer {
  const buffer = Buffer.allocUnsafeSlow(FIRST + BUFFER_BYTES);
  buffer[0] = LINE_END;
  return buffer;
}

function lines(buffer: Buffer, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) if (buffer[i] === LINE_END) count++;
  return count;
}
