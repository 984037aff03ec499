import { describeEnd, type WorkerEnd } from './worker-end.ts';

/**
 * How often in a row a worker may end before it was ready. With WorkerSlot's growing delays that takes 1.5 s and the
 * starts.
 */
export const MAX_EARLY_ENDS = 5;

interface Place {
  /** Whether a worker of this slot was ready once. */
  isReady: boolean;
  /** How many workers of this slot ended before they were ready. */
  ends: number;
}

/**
 * The start of a generation: decides whether a worker that ends before it was ready is restarted, and when the
 * generation serves. A worker that reports why it cannot serve fails the start. One that was killed by a signal is
 * restarted, up to MAX_EARLY_ENDS times. One that exits with a code, or could not be started, is restarted if another
 * worker has been ready; else it fails the start, since all workers would end in the same way.
 */
export class WorkerStarts {
  /** Resolves with the listening URLs; rejects with an Error that says why the workers did not start. */
  readonly done: Promise<readonly string[]>;
  readonly #places: readonly Place[];
  readonly #mayGoWithout: boolean;
  #state: 'starting' | 'served' | 'refused' = 'starting';
  #listening: readonly string[] = [];
  #resolve!: (listening: readonly string[]) => void;
  #reject!: (error: Error) => void;

  /**
   * @param workers their number
   * @param mayGoWithout whether to serve with fewer workers when one has ended too often, which is still restarted
   *   then. False fails the start instead: older workers go on
   */
  constructor(workers: number, mayGoWithout: boolean) {
    this.#places = Array.from({ length: workers }, () => ({ isReady: false, ends: 0 }));
    this.#mayGoWithout = mayGoWithout;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // The start may fail before `done` is awaited.
    this.done.catch(() => {});
  }

  /** A worker is ready. Idempotent. */
  ready(index: number, listening: readonly string[]): void {
    const place = this.#places[index];
    if (place) place.isReady = true;
    this.#listening = listening;
    this.#judge();
  }

  /** A worker has ended. @returns whether to restart it */
  ended(index: number, end: WorkerEnd): boolean {
    const place = this.#places[index];
    if (!place || this.#state === 'refused') return false;
    if (place.isReady || this.#state === 'served') return true;
    place.ends++;
    const isFinal = end.type === 'failed' || (end.type !== 'killed' && !this.#serves);
    if (isFinal || (place.ends >= MAX_EARLY_ENDS && !this.#mayYetServe)) {
      this.refuse(startFailure(end, isFinal ? 1 : place.ends));
      return false;
    }
    this.#judge();
    return true;
  }

  /** Fails the start. Does nothing when the start is over. @param why a sentence for the operator */
  refuse(why: string): void {
    if (this.#state !== 'starting') return;
    this.#state = 'refused';
    this.#reject(new Error(why));
  }

  get #serves(): boolean {
    return this.#places.some(({ isReady }) => isReady);
  }

  /** Whether the start may succeed although one worker has ended too often. */
  get #mayYetServe(): boolean {
    return this.#mayGoWithout && (this.#serves || this.#places.some(({ ends }) => ends < MAX_EARLY_ENDS));
  }

  #judge(): void {
    if (this.#state !== 'starting' || !this.#serves) return;
    const isSettled = ({ isReady, ends }: Place): boolean => isReady || (this.#mayGoWithout && ends >= MAX_EARLY_ENDS);
    if (!this.#places.every(isSettled)) return;
    this.#state = 'served';
    this.#resolve(this.#listening);
  }
}

function startFailure(end: WorkerEnd, times: number): string {
  const often = times === 1 ? '' : `, ${times} times in a row`;
  switch (end.type) {
    case 'failed':
    case 'unstarted':
      return `${describeEnd(end)}${often}`;
    case 'killed':
      return `a worker was killed by ${end.signal} before it was ready${often}`;
    case 'exited':
      return `a worker exited with code ${end.code} before it was ready${often}`;
  }
}
