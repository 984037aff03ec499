import { Timer } from '../clock/time-limits.ts';
import { firstPaid, mayPass, paidAfter } from '../core/limits/byte-bucket.ts';
import { type FlowParts, SOON_MS, type WaitingFlow } from './flow.ts';
import type { SiteBandwidth } from './site-bandwidth.ts';

/** Both ends of a PacedFlow. */
export interface FlowEnds {
  /** Takes bytes that may pass now. */
  readonly pass: (bytes: Buffer) => void;
  /** Stops the source. */
  readonly pause: () => void;
  /** Lets the source go on. */
  readonly resume: () => void;
}

/**
 * The body of one response, or one direction of a tunnel, that passes no faster than its own rate, and than its part of its
 * site's. Holds what the source has sent beyond that, and pauses the source meanwhile: one read at most.
 */
export class PacedFlow implements WaitingFlow {
  readonly #perSecond: number;
  readonly #site: SiteBandwidth | null;
  readonly #parts: FlowParts;
  readonly #ends: FlowEnds;
  readonly #timer = new Timer(() => this.#go());
  #paidUntil: number;
  #held: Buffer[] = [];
  /** What the bytes that are held wait for. */
  #wait: 'nothing' | 'own' | 'site' = 'nothing';
  /** The receiver takes no more for now. */
  #isBlocked = false;
  #isPaused = false;
  #isOver = false;
  #finish: (() => void) | null = null;

  /** @param perSecond bytes; 0 for any @param site null for any number of bytes of all its flows */
  constructor(perSecond: number, site: SiteBandwidth | null, parts: FlowParts, ends: FlowEnds) {
    this.#perSecond = perSecond;
    this.#site = site;
    this.#parts = parts;
    this.#ends = ends;
    this.#paidUntil = firstPaid(parts.now());
    site?.opened();
  }

  /** Bytes are held because of a rate, and not because of the receiver. */
  get isWaiting(): boolean {
    return this.#wait !== 'nothing';
  }

  /** Bytes of the source, which stay valid. They pass now or later. */
  write(bytes: Buffer): void {
    if (this.#isOver || bytes.length === 0) return;
    this.#held.push(bytes);
    if (this.#wait === 'nothing' && !this.#isBlocked) this.#go();
  }

  /** The source has sent all. @param finish called when all has passed; not after `stop` */
  end(finish: () => void): void {
    if (this.#held.length === 0) finish();
    else this.#finish = finish;
  }

  /** The receiver takes no more, until `unblock`. */
  block(): void {
    this.#isBlocked = true;
    this.#waitFor('nothing');
    this.#pause();
  }

  unblock(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#go();
  }

  passUpTo(most: number, now: number): number {
    let left = Math.min(most, this.#room(now));
    let passed = 0;
    while (left > 0 && !this.#isBlocked) {
      const first = this.#held[0];
      if (first === undefined) break;
      const piece = first.length <= left ? first : first.subarray(0, left);
      if (piece === first) this.#held.shift();
      else this.#held[0] = first.subarray(left);
      left -= piece.length;
      passed += piece.length;
      this.#ends.pass(piece);
    }
    if (this.#perSecond > 0) this.#paidUntil = paidAfter(this.#paidUntil, now, passed, this.#perSecond);
    return passed;
  }

  settle(now: number): void {
    if (this.#isOver) return;
    if (this.#held.length === 0) {
      this.#waitFor('nothing');
      const finish = this.#finish;
      this.#finish = null;
      if (finish !== null) return finish();
      if (this.#isPaused && !this.#isBlocked) this.#resume();
      return;
    }
    this.#pause();
    if (this.#isBlocked) this.#waitFor('nothing');
    else this.#waitFor(this.#site !== null && this.#room(now) > 0 ? 'site' : 'own');
  }

  /** Drops what is held. Idempotent. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#held = [];
    this.#finish = null;
    this.#waitFor('nothing');
    this.#site?.closed();
  }

  /** Bytes that its own rate lets through now. */
  #room(now: number): number {
    return this.#perSecond === 0 ? Infinity : mayPass(this.#paidUntil, now, this.#perSecond);
  }

  #go(): void {
    const now = this.#parts.now();
    const site = this.#site;
    const passed = this.passUpTo(site === null ? Infinity : site.room(now), now);
    site?.took(passed, now);
    this.settle(now);
  }

  #waitFor(wait: 'nothing' | 'own' | 'site'): void {
    this.#wait = wait;
    if (wait === 'own') this.#parts.clock.set(this.#timer, SOON_MS);
    else this.#parts.clock.clear(this.#timer);
    if (wait === 'site') this.#site?.enter(this);
    else this.#site?.leave(this);
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#ends.pause();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#ends.resume();
  }
}
