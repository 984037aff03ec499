import { smoothed } from '../core/limits/demand.ts';
import { limitKey, type ShareSource } from '../store/shares.ts';

/** From one exchange of shares to the next, ms. */
export const TURN_MS = 250;
/** Of how many limits shares are exchanged in one turn: those nearest to their bound. */
const MAX_EXCHANGED = 500;
/** A limit that was asked for nothing for so long needs no share, ms. */
const IDLE_MS = 1_000;
/** Workers that take less than this of a limit in all are not counted: they exchange nothing. */
const NEGLIGIBLE = 0.1;
/** The least share: a worker that is asked for little may let something through now and then. */
const LEAST_SHARE = 0.01;

/** A limit that holds for all workers of all routers together, as one worker has it. */
export interface SharedLimit {
  /** Identifies it among all limits. */
  readonly name: string;
  /** The whole limit in one turn, of all workers, in the unit of `takeAsked`. */
  readonly perTurn: number;
  /** This worker's part of it, from 0 to 1. */
  share: number;
  /** When it was asked for something last, ms. */
  askedAt: number;
  /** What it was asked for in a turn, smoothed; null before the first. */
  demand: number | null;
  /** What it was asked for since the last call, with what it did not let through. */
  takeAsked(now: number): number;
}

/** The dependencies of ShareTurns. */
export interface ShareTurnsParts {
  readonly shares: Pick<ShareSource, 'exchange'>;
  /** ms; only differences count. */
  readonly now: () => number;
}

/**
 * Exchanges the shares of limits in the background, so that no request waits for that. The last shares hold while the store does
 * not reply.
 */
export class ShareTurns {
  readonly #parts: ShareTurnsParts;
  /** Those that were asked for something lately. */
  readonly #active = new Set<SharedLimit>();
  /** A turn will come. */
  #isTurning = false;
  #timer: NodeJS.Timeout | undefined;
  /** The most workers that have a part in one limit. */
  #sharers = 1;
  /** The store has replied to the last exchange. */
  #isSharing = true;

  constructor(parts: ShareTurnsParts) {
    this.#parts = parts;
  }

  /** Limits of which this worker has only a share now, since others have one, too. */
  get shared(): number {
    return [...this.#active].filter(({ share }) => share < 1).length;
  }

  /** A limit is asked for something now. One that was idle has the whole limit at first. */
  asked(limit: SharedLimit, now: number): void {
    if (now - limit.askedAt > IDLE_MS && this.#isSharing) limit.share = 1;
    limit.askedAt = now;
    this.#active.add(limit);
    if (!this.#isTurning) this.#later();
  }

  /** Exchanges no more about a limit. */
  drop(limit: SharedLimit): void {
    this.#active.delete(limit);
  }

  /** Ends what it does in the background. No request may come any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#active.clear();
  }

  async #turn(): Promise<void> {
    const exchanged = this.#due();
    if (exchanged.length > 0) await this.#exchange(exchanged);
    this.#isTurning = false;
    if (this.#active.size > 0) this.#later();
  }

  #later(): void {
    this.#isTurning = true;
    this.#timer = setTimeout(() => void this.#turn(), TURN_MS).unref();
  }

  /** The limits whose shares are to be exchanged. */
  #due(): readonly SharedLimit[] {
    const now = this.#parts.now();
    const due: SharedLimit[] = [];
    for (const limit of this.#active) {
      limit.demand = smoothed(limit.demand, limit.takeAsked(now));
      if (now - limit.askedAt > IDLE_MS) {
        this.#active.delete(limit);
        limit.demand = null;
      } else if (limit.share < 1 || useOf(limit) > NEGLIGIBLE / this.#sharers) {
        due.push(limit);
      }
    }
    if (due.length <= MAX_EXCHANGED) return due;
    return due.toSorted((a, b) => useOf(b) - useOf(a)).slice(0, MAX_EXCHANGED);
  }

  /** Never rejects. */
  async #exchange(limits: readonly SharedLimit[]): Promise<void> {
    try {
      const demands = limits.map(({ name, demand }) => ({ key: limitKey(name), asked: demand ?? 0 }));
      const shares = await this.#parts.shares.exchange(demands);
      this.#isSharing = true;
      let most = 1;
      for (const [i, { share, sharers }] of shares.entries()) {
        const limit = limits[i];
        if (limit !== undefined) limit.share = Math.max(LEAST_SHARE, share);
        most = Math.max(most, sharers);
      }
      this.#sharers = most;
    } catch {
      this.#isSharing = false;
    }
  }
}

/** The part of its limit that a worker is asked for; more than 1 beyond the limit. */
function useOf({ demand, perTurn }: SharedLimit): number {
  return (demand ?? 0) / perTurn;
}
