import type { ClientStream } from '../http1/client-stream.ts';
import { clientKey } from '../core/limits/client-key.ts';
import { ReadPace } from '../core/limits/pace.ts';
import { Spool } from '../core/limits/spool.ts';
import { held, letGo } from '../http1/read-buffer.ts';
import type { LaneParts } from './parts.ts';
import { isFull, send, sendTogether } from '../http1/send.ts';

/** Writes to one client's connection. While the client reads nothing, the bytes are held in memory, within a bound. */
export class ClientOutput {
  readonly #socket: ClientStream;
  readonly #parts: LaneParts;
  readonly #readPace: ReadPace;
  /** As `clientKey` returns it. Set before a response is written: memory is shared out by it. */
  clientKey: string;
  /** Bytes held for a client that reads nothing; null while it reads. */
  #spool: Spool<string | Buffer> | null = null;
  /** Since when the client reads nothing, ms. */
  #blockedAt = 0;
  /** Bytes in the socket's buffer at that time. */
  #untaken = 0;

  constructor(socket: ClientStream, address: string, parts: LaneParts) {
    const { readMinRate, readMs } = parts.limits;
    this.#socket = socket;
    this.#parts = parts;
    this.clientKey = clientKey(address);
    this.#readPace = new ReadPace(readMinRate, readMs);
  }

  /** Writes latin1, then bytes. @returns false when the client reads no more for now */
  write(text: string, bytes: Buffer | null): boolean {
    const spool = this.#spool;
    if (spool !== null) {
      spool.push(text);
      if (bytes !== null) spool.push(held(bytes, this.clientKey));
      return false;
    }
    const isFlowing = this.#send(text, bytes);
    if (!isFlowing) this.#block();
    return isFlowing;
  }

  /** The client reads nothing for now; what is written is held in memory. */
  get isBlocked(): boolean {
    return this.#spool !== null;
  }

  /** The client reads nothing, and no more may be held for it. */
  get isFull(): boolean {
    return this.#spool?.isFull ?? false;
  }

  /** All was written, or fits into the socket's buffer. */
  get isAway(): boolean {
    return this.#spool === null && !isFull(this.#socket);
  }

  /** Bytes are held in memory. */
  get isHolding(): boolean {
    return this.#spool !== null && !this.#spool.isEmpty;
  }

  /**
   * Call it when the socket has drained: writes what is held.
   * @param readMs for how long the client may lag behind its minimum rate; 0 is the default
   * @returns false when the client reads too slowly
   */
  flush(readMs: number): boolean {
    const spool = this.#spool;
    const now = this.#parts.now();
    if (this.#readPace.isTooSlow(this.#untaken, now - this.#blockedAt, readMs || undefined)) return false;
    for (let piece = spool?.shift(); piece !== undefined; piece = spool?.shift()) {
      if (this.#sendHeld(piece)) continue;
      this.#block();
      return true;
    }
    this.#spool = null;
    return true;
  }

  /**
   * The client has ended its side. Writes to the socket's buffer what is held of a whole response, and drops what is held
   * of one that is not whole.
   */
  end(isWhole: boolean): void {
    if (!isWhole) this.clear();
    for (let piece = this.#spool?.shift(); piece !== undefined; piece = this.#spool?.shift()) this.#sendHeld(piece);
  }

  /** Drops what is held. */
  clear(): void {
    for (let piece = this.#spool?.shift(); piece !== undefined; piece = this.#spool?.shift()) letGo(piece);
  }

  #sendHeld(piece: string | Buffer): boolean {
    const isFlowing = send(this.#socket, piece, this.clientKey);
    letGo(piece);
    return isFlowing;
  }

  #send(text: string, bytes: Buffer | null): boolean {
    if (bytes === null) return send(this.#socket, text, this.clientKey);
    return text === ''
      ? send(this.#socket, bytes, this.clientKey)
      : sendTogether(this.#socket, text, bytes, this.clientKey);
  }

  #block(): void {
    const { spools, now } = this.#parts;
    this.#spool ??= new Spool(spools, this.clientKey);
    this.#blockedAt = now();
    this.#untaken = this.#socket.writableLength;
  }
}
