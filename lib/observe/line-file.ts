/** Appends lines to a file without making anybody wait: two buffers in turn, one write under way at a time. */
import { closeSync, write, writeSync } from 'node:fs';
import { openLog, type Owner } from '../files/open-log.ts';

const BUFFER_BYTES = 262_144;
/** A full-enough buffer is written at once, bytes. */
const FLUSH_BYTES = 65_536;
/** Otherwise lines wait for company this long, ms. */
const FLUSH_MS = 100;
/** A pipe takes this much in one piece (POSIX PIPE_BUF): more could be torn apart by other workers' lines. */
const PIPE_BYTES = 4_096;
/** How long the end of a process waits for a pipe that nobody reads, ms. */
const PATIENCE_MS = 1_000;
const STDOUT = 1;
/** Where lines begin in a buffer: before them is a line end, for what a write left torn. */
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
  /** A write failed within a line, whose first half is the end of the file. */
  #isTorn = false;
  /** What a write under way goes to, whatever was opened since. */
  #writingTo: number | null = null;
  #onWritten: () => void = () => {};
  #timer: NodeJS.Timeout | null = null;
  #dropped = 0;

  /**
   * Opens `path` for appending. @throws the system's error, or UnsafePathError
   * @param owner whose the file is, where this process is still root; null where its files are its own
   * @param onFault told of each failed write; the lines of that write are lost
   */
  constructor(path: string, owner: Owner | null, onFault: (cause: Error) => void) {
    this.#path = path;
    this.#owner = owner;
    this.#onFault = onFault;
    this.#fd = path === '-' ? STDOUT : openLog(path, owner);
  }

  /** Lines lost since the start: the disk did not keep up, or failed. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a line of ASCII or latin1, line end included. Never blocks; drops it when both buffers are full. */
  append(line: string): void {
    if (this.#filled + line.length > FIRST + BUFFER_BYTES) {
      this.#dropped++;
      return;
    }
    this.#filled += this.#filling.write(line, this.#filled, 'latin1');
    if (this.#filled >= FIRST + FLUSH_BYTES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /** Opens the path anew, after it was moved away. @throws as the constructor, and goes on with the old file */
  reopen(): void {
    if (this.#path === '-') return;
    this.flushSync();
    const fd = openLog(this.#path, this.#owner);
    const old = this.#fd;
    this.#fd = fd;
    this.#isTorn = false;
    // A write under way may not have begun, and would go to whatever has the number then: it closes what it wrote to.
    if (old !== this.#writingTo) closeSync(old);
  }

  /** Writes what is left. Resolves when it is in the file, and so is what was being written. */
  async close(): Promise<void> {
    if (this.#writingTo !== null) {
      await new Promise<void>((resolve) => {
        this.#onWritten = resolve;
        setTimeout(resolve, PATIENCE_MS);
      });
    }
    this.flushSync();
  }

  /** Writes what is left, and waits for it: for the end of a process. Lines of a write under way are that write's. */
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

  /** Where in a buffer the next write begins. */
  #start(): number {
    const start = this.#isTorn ? FIRST - 1 : FIRST;
    this.#isTorn = false;
    return start;
  }

  /** A write came through up to `at` only. */
  #fail(fd: number, buffer: Buffer, at: number, end: number, cause: Error): void {
    if (fd === this.#fd) this.#isTorn = at < FIRST || buffer[at - 1] !== LINE_END;
    this.#dropped += lines(buffer, Math.max(at, FIRST), end);
    this.#onFault(cause);
  }

  #write(fd: number, at: number, end: number): void {
    const length = this.#pieceEnd(this.#writing, at, end) - at;
    write(fd, this.#writing, at, length, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        // A pipe whose reader is slow: there is nothing to wait for but time.
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

  /** Where the piece that starts at `at` ends: for standard output, after the last whole line that a pipe takes at once. */
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
