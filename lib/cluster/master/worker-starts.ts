import { describeEnd, type WorkerEnd } from './worker-end.ts';

/** How often in a row one worker may end before it was ready. With Slot's growing delays that is 1.5 s and the starts. */
export const MAX_EARLY_ENDS = 5;

interface Place {
  /** A worker of it was ready once. */
  isReady: boolean;
  /** Workers of it that ended before. */
  ends: number;
}

/**
 * The start of a generation: whether a worker that ends before it was ready is started again, and when the generation
 * serves. A worker that says why it cannot serve refuses the start. One that a signal ends is started again, up to
 * MAX_EARLY_ENDS times. One that exits with a code, or of which no process came, likewise when another worker has been
 * ready; else that refuses the start, since it would befall all of them.
 */
export class WorkerStarts {
  /** Resolves with where the workers listen; rejects with an Error that says why they do not. */
  readonly done: Promise<readonly string[]>;
  readonly #places: readonly Place[];
  readonly #mayGoWithout: boolean;
  #state: 'starting' | 'served' | 'refused' = 'starting';
  #listening: readonly string[] = [];
  #resolve!: (listening: readonly string[]) => void;
  #reject!: (error: Error) => void;

  /**
   * @param workers how many there are to be
   * @param mayGoWithout whether to serve with fewer workers when one has ended too often, while that is still being
   *   started again. Without it that refuses the start: for when older workers can go on instead
   */
  constructor(workers: number, mayGoWithout: boolean) {
    this.#places = Array.from({ length: workers }, () => ({ isReady: false, ends: 0 }));
    this.#mayGoWithout = mayGoWithout;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // It may be refused before anything waits for it.
    this.done.catch(() => {});
  }

  /** A worker is ready. Idempotent. */
  ready(index: number, listening: readonly string[]): void {
    const place = this.#places[index];
    if (place) place.isReady = true;
    this.#listening = listening;
    this.#judge();
  }

  /** A worker has ended. @returns whether another is started in its place */
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

  /** Ends it. Nothing happens when it is over. @param why a sentence for the operator */
  refuse(why: string): void {
    if (this.#state !== 'starting') return;
    this.#state = 'refused';
    this.#reject(new Error(why));
  }

  get #serves(): boolean {
    return this.#places.some(({ isReady }) => isReady);
  }

  /** Whether the start may come to something though one worker has ended too often. */
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
