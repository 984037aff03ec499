/**
 * How far ahead of an even share a worker may be at least: so many connections, or this part of the share divided by
 * the number of workers. For what all others are ahead, one is behind.
 */
const SLACK = 4;
const SLACK_PART = 1 / 8;
/** Telling a worker to pause or to accept takes a while, ms, in which the others go on. */
const LOOK_BACK_MS = 20;
/** This part of what came in that while is allowed, too: in a burst, who pauses on little would be late for the rest. */
const GROWTH_PART = 1 / 4;
/** So many workers always accept, where there are more of them: one that hangs must not leave clients waiting. */
const ALWAYS_ACCEPT = 2;

/** A worker is told to pause, and then to accept; it says so when it does. */
type Turn = 'accepts' | 'pauses' | 'returns';

interface Share {
  open: number;
  turn: Turn;
}

/**
 * Keeps the connections of workers even, who accept from one queue of the system: whoever wakes first takes the next,
 * and that is often the same one. Who has more than its share pauses until the others have caught up. No connection
 * is ever moved, and those that wait in the queue are the others'.
 */
export class ConnectionBalance<Worker> {
  readonly #tell: (worker: Worker, turn: 'pause' | 'accept') => void;
  readonly #now: () => number;
  readonly #shares = new Map<Worker, Share>();
  /** The mean of a while ago, and of the while before it. */
  #last = { at: 0, mean: 0 };
  #before = { at: 0, mean: 0 };

  /** @param now a clock's ms; only differences count */
  constructor(tell: (worker: Worker, turn: 'pause' | 'accept') => void, now: () => number) {
    this.#tell = tell;
    this.#now = now;
  }

  /** A worker accepts connections: for the first time, or again. */
  accepts(worker: Worker): void {
    const open = this.#shares.get(worker)?.open ?? 0;
    // Who is still ahead pauses when somebody has more than before: without arrivals all accept.
    this.#shares.set(worker, { open, turn: 'accepts' });
  }

  /** A worker has so many connections. */
  has(worker: Worker, open: number): void {
    const share = this.#shares.get(worker);
    if (!share) return;
    share.open = open;
    this.#look();
  }

  /** A worker accepts no more, for good. */
  forget(worker: Worker): void {
    if (!this.#shares.delete(worker)) return;
    // It may have been the only one that accepted.
    for (const [other, share] of this.#shares) this.#return(other, share);
  }

  #look(): void {
    const all = [...this.#shares];
    const mean = all.reduce((sum, [, { open }]) => sum + open, 0) / all.length;
    const slack = Math.max(SLACK, (mean * SLACK_PART) / all.length, this.#growth(mean) * GROWTH_PART);
    for (const [worker, share] of all) if (share.open <= mean + slack / 2) this.#return(worker, share);
    // The one with the most comes first: not all that are ahead may pause.
    const ahead = all.filter(([, { open }]) => open > mean + slack);
    let spare = all.filter(([, { turn }]) => turn === 'accepts').length - Math.min(ALWAYS_ACCEPT, all.length - 1);
    for (const [worker, share] of ahead.toSorted(([, a], [, b]) => b.open - a.open)) {
      if (share.turn !== 'accepts' || spare <= 0) continue;
      spare--;
      share.turn = 'pauses';
      this.#tell(worker, 'pause');
    }
  }

  /** How much the mean has grown in the last while or two. */
  #growth(mean: number): number {
    const at = this.#now();
    if (at - this.#last.at > LOOK_BACK_MS) {
      this.#before = at - this.#last.at > 2 * LOOK_BACK_MS ? { at, mean: this.#last.mean } : this.#last;
      this.#last = { at, mean };
    }
    return mean - this.#before.mean;
  }

  #return(worker: Worker, share: Share): void {
    if (share.turn !== 'pauses') return;
    share.turn = 'returns';
    this.#tell(worker, 'accept');
  }
}
