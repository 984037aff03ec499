/**
 * How many connections a worker may have above the mean: at least SLACK, or SLACK_PART of the mean divided by the
 * number of workers. (If all others are above the mean, one is far below it.)
 */
const SLACK = 4;
const SLACK_PART = 1 / 8;
/** How long a worker takes to pause or accept after the message, ms; the others accept meanwhile. */
const LOOK_BACK_MS = 20;
/**
 * This part of the mean's growth in that time is allowed, too: in a burst, pausing too early would cause new imbalance.
 */
const GROWTH_PART = 1 / 4;
/** How many workers always accept, if there are more: a worker that hangs must not leave clients waiting. */
const ALWAYS_ACCEPT = 2;

/**
 * `accepts`: it accepts. `pauses`: it was told to pause. `returns`: it was told to accept, and has not confirmed that
 * yet.
 */
type Turn = 'accepts' | 'pauses' | 'returns';

interface Share {
  open: number;
  turn: Turn;
}

/**
 * Keeps the number of connections even among workers. All accept from one kernel queue, and the kernel often wakes the
 * same worker. A worker above the mean is paused until the others have caught up. No connection is moved between
 * workers.
 */
export class ConnectionBalance<Worker> {
  readonly #tell: (worker: Worker, turn: 'pause' | 'accept') => void;
  readonly #now: () => number;
  readonly #shares = new Map<Worker, Share>();
  /** The mean at the last two measurements. */
  #last = { at: 0, mean: 0 };
  #before = { at: 0, mean: 0 };

  /** @param now the current time, ms; only differences matter */
  constructor(tell: (worker: Worker, turn: 'pause' | 'accept') => void, now: () => number) {
    this.#tell = tell;
    this.#now = now;
  }

  /** A worker accepts connections: for the first time, or again. */
  accepts(worker: Worker): void {
    const open = this.#shares.get(worker)?.open ?? 0;
    // A worker that is still above the mean is paused at the next report. Without new connections all accept.
    this.#shares.set(worker, { open, turn: 'accepts' });
  }

  /** A worker reports its number of connections. */
  has(worker: Worker, open: number): void {
    const share = this.#shares.get(worker);
    if (!share) return;
    share.open = open;
    this.#look();
  }

  /** A worker accepts no more and will not resume. */
  forget(worker: Worker): void {
    if (!this.#shares.delete(worker)) return;
    // It may have been the only worker that accepted.
    for (const [other, share] of this.#shares) this.#return(other, share);
  }

  #look(): void {
    const all = [...this.#shares];
    const mean = all.reduce((sum, [, { open }]) => sum + open, 0) / all.length;
    const slack = Math.max(SLACK, (mean * SLACK_PART) / all.length, this.#growth(mean) * GROWTH_PART);
    for (const [worker, share] of all) if (share.open <= mean + slack / 2) this.#return(worker, share);
    // The worker with the most connections is paused first; a minimum always accepts.
    const ahead = all.filter(([, { open }]) => open > mean + slack);
    let spare = all.filter(([, { turn }]) => turn === 'accepts').length - Math.min(ALWAYS_ACCEPT, all.length - 1);
    for (const [worker, share] of ahead.toSorted(([, a], [, b]) => b.open - a.open)) {
      if (share.turn !== 'accepts' || spare <= 0) continue;
      spare--;
      share.turn = 'pauses';
      this.#tell(worker, 'pause');
    }
  }

  /** How much the mean has grown since the last measurements. */
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
