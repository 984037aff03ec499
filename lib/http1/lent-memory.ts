/**
 * Memory for large bodies, which go from a read to a write without a copy. A connection to a backend reads into it (see
 * ResponseReads); a write that the kernel does not take at once holds it until it is done, and the connection reads into
 * other memory meanwhile. As with the shared buffer, bytes are valid until the call that delivered them returns. A client
 * that reads slowly on many connections holds at most its share: its bytes are copied then, and others still get memory.
 */
import type { Duplex } from 'node:stream';
import { Shares } from '../core/limits/shares.ts';

/** Maximum size of one read, bytes. At least as much as the shared buffer has. */
const ROOM_BYTES = 131_072;
/** Space in front of what is read, bytes: a response's head is written there, so that head and body are one write. */
const HEAD_BYTES = 4_096;
const WHOLE_BYTES = HEAD_BYTES + ROOM_BYTES;
/** Maximum number in a worker: 17 MB. Without memory, large bodies are read and copied like small ones. */
const MOST = 128;
/** Maximum number kept for the next reads while nothing uses them: 4 MB. */
const MOST_SPARE = 32;

const BY_BUFFER = new WeakMap<ArrayBufferLike, LentMemory>();
const SPARE: LentMemory[] = [];
let made = 0;
/** Memory that writes hold, by client. */
const HELD = new Shares(MOST);

/** One piece of memory: its reader fills it, and any number of writes and holders need what is in it. */
export class LentMemory {
  readonly #whole = Buffer.allocUnsafeSlow(WHOLE_BYTES);
  /** What is read into. */
  readonly room = this.#whole.subarray(HEAD_BYTES);
  /** Writes that have not called back, and holders. */
  #uses = 0;
  #isRead = true;
  /** The client that it is held for; null while nothing holds it. */
  #holder: string | null = null;

  constructor() {
    BY_BUFFER.set(this.#whole.buffer, this);
  }

  /** Its bytes are needed after the current call: nothing may be read into it again. */
  get isHeld(): boolean {
    return this.#holder !== null;
  }

  /** It gets a reader. */
  begin(): void {
    this.#isRead = true;
  }

  /** Its reader reads into it no more. It is used again when the last write is done. */
  leave(): void {
    this.#isRead = false;
    this.#settle();
  }

  /**
   * Writes latin1 text, then bytes in this memory. They stay as they are until the write is done.
   * @param socket calls back for each write, when it needs the bytes no more
   * @param client as `clientKey` returns it
   * @returns as `socket.write`
   */
  write(socket: Duplex, text: string, bytes: Buffer, client: string): boolean {
    const start = bytes.byteOffset - text.length;
    let isFlowing: boolean;
    this.#uses++;
    if (text === '') {
      isFlowing = socket.write(bytes, this.#release);
    } else if (start >= 0 && this.#holder === null) {
      // What is in front of the bytes was used before: the head of the backend's response, or nothing.
      this.#whole.write(text, start, 'latin1');
      isFlowing = socket.write(this.#whole.subarray(start, bytes.byteOffset + bytes.length), this.#release);
    } else {
      socket.cork();
      socket.write(text, 'latin1');
      isFlowing = socket.write(bytes, this.#release);
      socket.uncork();
    }
    // At 0 the kernel has all of it, though the callback comes later.
    if (socket.writableLength > 0) this.#count(client);
    return isFlowing;
  }

  /** The same with bytes of the shared buffer, which are copied. */
  writeCopy(socket: Duplex, text: string, bytes: Buffer, client: string): boolean {
    bytes.copy(this.room);
    return this.write(socket, text, this.room.subarray(0, bytes.length), client);
  }

  /** Its bytes are needed until `release`. @param client as `clientKey` returns it */
  hold(client: string): void {
    this.#uses++;
    this.#count(client);
  }

  /** Ends one `hold`. */
  release(): void {
    this.#release();
  }

  // Writes that the kernel took at once call back late, too. So memory is used again only when all writes have.
  readonly #release = (): void => {
    this.#uses--;
    this.#settle();
  };

  /** Bytes are read for one client at a time, and nothing is read into memory that is held: the first one counts. */
  #count(client: string): void {
    if (this.#holder !== null) return;
    this.#holder = client;
    HELD.add(client, 1);
  }

  #settle(): void {
    if (this.#isRead || this.#uses > 0) return;
    if (this.#holder !== null) HELD.add(this.#holder, -1);
    this.#holder = null;
    if (SPARE.length < MOST_SPARE) SPARE.push(this);
    else made--;
  }
}

/** Takes memory, for a reader that calls `leave` later. @returns null when too much is in use */
export function takeMemory(): LentMemory | null {
  const spare = SPARE.pop();
  if (spare !== undefined) {
    spare.begin();
    return spare;
  }
  if (made === MOST) return null;
  made++;
  return new LentMemory();
}

/** Whether a client may hold more. Otherwise its bytes are copied. @param client as `clientKey` returns it */
export function mayHold(client: string): boolean {
  return !HELD.isSpent(client);
}

/** Whether a connection may keep memory until its next response. */
export function mayRest(): boolean {
  return lentCount() <= MOST / 2;
}

/** The memory that bytes are in; null when they are in memory of another kind. */
export function memoryOf({ buffer }: Buffer): LentMemory | null {
  return buffer.byteLength === WHOLE_BYTES ? (BY_BUFFER.get(buffer) ?? null) : null;
}

/** Memory in use by readers and writes. */
export function lentCount(): number {
  return made - SPARE.length;
}
