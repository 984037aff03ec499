import { Timer } from '../clock/time-limits.ts';
import { firstPaid, mayPass, paidAfter } from '../core/limits/byte-bucket.ts';
import { type FlowParts, SOON_MS, type WaitingFlow } from './flow.ts';
import { type SharedLimit, TURN_MS, type ShareTurns } from './share-turns.ts';

/** A flow gets at least so many bytes when it is its turn: a write costs more than some bytes. */
const LEAST_BYTES = 1_024;

/** The dependencies of SiteBandwidth. */
export interface SiteBandwidthParts extends FlowParts {
  readonly turns: ShareTurns;
  /** Called when the last flow is closed. */
  readonly onUnused: () => void;
}

/**
 * The bytes per second of all flows of a site in this worker, which has a share of them. Flows that wait get equal parts, in
 * turn.
 */
export class SiteBandwidth implements SharedLimit {
  readonly name: string;
  share = 1;
  askedAt = -Infinity;
  demand: number | null = null;
  /** Of all workers. */
  perSecond: number;
  readonly #parts: SiteBandwidthParts;
  readonly #timer = new Timer(() => this.#serve());
  readonly #waiting = new Set<WaitingFlow>();
  #paidUntil: number;
  #flows = 0;
  /** Bytes since the last turn. */
  #passed = 0;

  /** @param name identifies the site among all limits */
  constructor(name: string, perSecond: number, parts: SiteBandwidthParts) {
    this.name = name;
    this.perSecond = perSecond;
    this.#parts = parts;
    this.#paidUntil = firstPaid(parts.now());
  }

  get perTurn(): number {
    return (this.perSecond * TURN_MS) / 1000;
  }

  get isUsed(): boolean {
    return this.#flows > 0;
  }

  /** Each flow that waits could use all: so workers with more of them get more. */
  takeAsked(now: number): number {
    const asked = this.#passed + this.#waiting.size * this.perTurn;
    this.#passed = 0;
    if (this.#waiting.size > 0) this.askedAt = now;
    return asked;
  }

  opened(): void {
    this.#flows++;
  }

  closed(): void {
    this.#flows--;
    if (this.#flows === 0) this.#parts.onUnused();
  }

  /** Bytes that may pass now; 0 while flows wait: they are served in turn. */
  room(now: number): number {
    this.#parts.turns.asked(this, now);
    return this.#waiting.size > 0 ? 0 : mayPass(this.#paidUntil, now, this.#rate);
  }

  /** So many bytes have passed. */
  took(bytes: number, now: number): void {
    if (bytes === 0) return;
    this.#passed += bytes;
    this.#paidUntil = paidAfter(this.#paidUntil, now, bytes, this.#rate);
  }

  /** A flow waits for its turn, behind the others. */
  enter(flow: WaitingFlow): void {
    if (this.#waiting.size === 0) this.#parts.clock.set(this.#timer, SOON_MS);
    this.#waiting.add(flow);
  }

  leave(flow: WaitingFlow): void {
    this.#waiting.delete(flow);
    if (this.#waiting.size === 0) this.#parts.clock.clear(this.#timer);
  }

  get #rate(): number {
    return this.perSecond * this.share;
  }

  #serve(): void {
    const now = this.#parts.now();
    let left = mayPass(this.#paidUntil, now, this.#rate);
    let others = this.#waiting.size;
    for (const flow of this.#waiting) {
      if (others === 0 || left === 0) break;
      const part = Math.min(left, Math.max(LEAST_BYTES, Math.floor(left / others)));
      others--;
      this.#waiting.delete(flow);
      const passed = flow.passUpTo(part, now);
      left -= passed;
      this.took(passed, now);
      flow.settle(now);
    }
    if (this.#waiting.size > 0) this.#parts.clock.set(this.#timer, SOON_MS);
  }
}
