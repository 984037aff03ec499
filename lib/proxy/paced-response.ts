import type { ServerResponse } from 'node:http';
import type { CutReason } from '../core/record/cut-reason.ts';
import type { ExchangeLimits } from '../core/limits/exchange-limits.ts';
import { ReadPace } from '../core/limits/pace.ts';
import type { ConnectionSlot } from '../backends/slots/backend-slots.ts';
import type { Hold } from '../backends/slots/slot-hold.ts';
import { stoppedComing } from '../core/record/response-cut.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import type { BufferRule } from '../core/routing/site.ts';
import { Spool } from '../core/limits/spool.ts';
import { Timer } from '../clock/time-limits.ts';
import type { AttemptParts } from './parts.ts';
import type { Exchange } from './exchange.ts';
import { OverflowFile } from './overflow-file.ts';
import { SmallPieces } from './small-pieces.ts';

/** The backend's side of a PacedResponse. */
export interface ResponseSource {
  /** The client is slow: read nothing until `resume`. */
  pause(): void;
  /** The client reads again: read on from the backend. */
  resume(): void;
  /** Cuts the backend off. */
  destroy(): void;
}

/**
 * Writes a backend's response to a client that may be slower. Part of it is held in memory, and for some sites in a file,
 * so that the backend is free before the client has read all; past that the backend waits. Cuts the client off when nothing comes from
 * either side in time, when the client is below its minimum rate, or when other requests need the slot while the
 * backend waits.
 */
export class PacedResponse {
  readonly #exchange: Exchange;
  readonly #response: ServerResponse;
  readonly #parts: AttemptParts;
  readonly #limits: ExchangeLimits;
  readonly #slot: ConnectionSlot;
  readonly #source: ResponseSource;
  readonly #pace: ReadPace;
  readonly #pieces = new SmallPieces((bytes) => this.#pass(bytes));
  readonly #timer = new Timer(() => this.#onTimeout());
  /** Set when a part may be held in a file. */
  readonly #rule: BufferRule | null;
  /** What is behind the spool; null while that is not full. */
  #overflow: OverflowFile | null = null;
  #isReadingFile = false;
  /** Bytes held for a client that reads nothing; null while it reads. */
  #spool: Spool<Buffer> | null = null;
  /** Set when the backend has waited for the client. */
  #hold: Hold | null = null;
  /** `performance.now()`, ms: since when the client reads nothing. */
  #blockedAt = 0;
  /** Bytes in the response's buffer at that time. */
  #untaken = 0;
  /** Ends the response; set when the backend has sent all of it. */
  #finish: (() => void) | null = null;

  /**
   * @param slot the backend's: it waits for the client while the backend does
   * @param rule set when a part may be held in a file
   */
  constructor(
    exchange: Exchange,
    parts: AttemptParts,
    slot: ConnectionSlot,
    rule: BufferRule | null,
    source: ResponseSource,
  ) {
    const { clock } = parts;
    const limits = exchange.limits ?? parts.limits;
    this.#exchange = exchange;
    this.#response = exchange.response;
    this.#parts = parts;
    this.#limits = limits;
    this.#slot = slot;
    this.#rule = rule;
    this.#source = source;
    this.#pace = new ReadPace(limits.readMinRate, limits.readMs);
    this.#response.on('drain', () => this.#onDrain());
    clock.set(this.#timer, limits.responseMs);
  }

  write(chunk: Buffer): void {
    this.#pieces.add(chunk);
  }

  /** The backend has sent the whole response. @param finish called when what is held was written */
  end(finish: () => void): void {
    this.#pieces.flush();
    this.#hold?.end();
    if (this.#isHolding) this.#finish = finish;
    else finish();
  }

  /** Drops what is held: the exchange has ended. */
  stop(): void {
    this.#parts.clock.clear(this.#timer);
    this.#hold?.end();
    this.#pieces.clear();
    this.#spool?.clear();
    this.#overflow?.close();
  }

  get #site(): string {
    return siteOf(this.#exchange.route?.key ?? '');
  }

  get #isHolding(): boolean {
    return this.#overflow !== null || this.#spool?.isEmpty === false;
  }

  #pass(bytes: Buffer): void {
    if (this.#overflow !== null) this.#overflow.push(bytes);
    else if (this.#spool !== null) this.#spool.push(bytes);
    else if (this.#send(bytes)) this.#parts.clock.set(this.#timer, this.#limits.responseMs);
    if (this.#spool === null) return;
    if (this.#overflow === null && this.#spool.isFull) this.#overflow = this.#openOverflow();
    if (this.#overflow === null ? this.#spool.isFull : this.#overflow.isOver) this.#awaitClient();
    else if (this.#overflow?.isLagging) this.#source.pause();
  }

  /** Null where nothing more may be held. */
  #openOverflow(): OverflowFile | null {
    const rule = this.#rule;
    const { buffers } = this.#parts;
    if (rule === null || !buffers.budget.mayOpen(this.#site)) return null;
    const overflow = new OverflowFile(buffers, this.#site, rule.bytes);
    overflow.onRoom = () => {
      if (overflow.isOver) return this.#awaitClient();
      this.#hold?.stop();
      this.#source.resume();
    };
    return overflow;
  }

  /** The backend waits for the client. */
  #awaitClient(): void {
    if (this.#finish !== null) return;
    this.#hold ??= this.#slot.hold(() => this.#cut('slot-needed'));
    this.#hold.begin(performance.now());
    this.#source.pause();
  }

  #send(chunk: Buffer): boolean {
    const response = this.#response;
    if (response.write(chunk)) return true;
    const { clock, spools } = this.#parts;
    this.#spool ??= new Spool(spools, this.#exchange.clientKey);
    // Without a socket the client is reading an earlier response.
    this.#blockedAt = response.socket === null ? Infinity : performance.now();
    this.#untaken = response.writableLength;
    clock.set(this.#timer, this.#limits.readMs);
    return false;
  }

  /** The client has read what was written last. */
  #onDrain(): void {
    const spool = this.#spool;
    const now = performance.now();
    if (spool !== null && this.#pace.isTooSlow(this.#untaken, now - this.#blockedAt)) return this.#cut('slow-reader');
    let isFlowing = true;
    for (let piece = spool?.shift(); piece !== undefined; piece = isFlowing ? spool?.shift() : undefined) {
      isFlowing = this.#send(piece);
    }
    this.#hold?.onRead(!isFlowing || this.#overflow !== null, now);
    if (this.#overflow !== null) {
      if (isFlowing) void this.#passOverflow(this.#overflow);
      return;
    }
    this.#onRead(isFlowing);
  }

  /** Writes what is in the file, until the client reads no more. Never rejects. */
  async #passOverflow(overflow: OverflowFile): Promise<void> {
    if (this.#isReadingFile) return;
    this.#isReadingFile = true;
    // The client is not awaited: the disk is.
    this.#parts.clock.set(this.#timer, this.#limits.responseMs);
    try {
      for (let isFlowing = true; isFlowing;) {
        const bytes = await overflow.read();
        if (this.#exchange.isEnded) return;
        if (bytes === null) {
          overflow.close();
          this.#overflow = null;
          this.#isReadingFile = false;
          return this.#onRead(true);
        }
        isFlowing = this.#send(bytes);
        if (isFlowing) this.#parts.clock.set(this.#timer, this.#limits.responseMs);
      }
    } catch (error) {
      this.#parts.buffers.onFault(this.#site, error);
      this.#source.destroy();
      this.#exchange.cut();
    }
    this.#isReadingFile = false;
  }

  /** The client has read, and nothing is behind the spool. @param isFlowing it reads on */
  #onRead(isFlowing: boolean): void {
    const finish = this.#finish;
    if (finish !== null && this.#spool?.isEmpty !== false) {
      this.#finish = null;
      finish();
    }
    if (!isFlowing) return;
    this.#spool = null;
    if (this.#exchange.isEnded) return;
    this.#hold?.stop();
    this.#parts.clock.set(this.#timer, this.#limits.responseMs);
    this.#source.resume();
  }

  #onTimeout(): void {
    if (this.#spool !== null) return this.#cut('slow-reader');
    // The backend waits for its site's bandwidth, and is not silent.
    if (this.#exchange.flow?.isWaiting === true) this.#parts.clock.set(this.#timer, this.#limits.responseMs);
    else this.#cut(null);
  }

  #cut(reason: CutReason | null): void {
    if (!this.#exchange.isEnded) {
      if (reason === null) this.#parts.onResponseCut(stoppedComing(), this.#exchange);
      else this.#parts.onCut(reason, this.#exchange);
    }
    this.#source.destroy();
    this.#exchange.cut();
  }
}
