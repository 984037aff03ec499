/** A change of this many connections is reported at once; with many connections, a change of a 32nd. */
const STEP = 16;
/** How long a smaller change may stay unreported, ms. Connections that are closed sooner than this are not counted. */
const WINDOW_MS = 20;

/**
 * Reports how many connections are open, but not each one that opens or closes: after a moment when few have changed,
 * at once when many have. So the master sees a burst while it lasts. Connections that are open for a few milliseconds
 * are not reported: they are even among workers by themselves, and a worker paused for them would be idle.
 */
export class ConnectionCount {
  readonly #tell: (open: number) => void;
  #open = 0;
  #told = 0;
  #goneBefore = 0;
  #goneNow = 0;
  #isWatching = false;

  constructor(tell: (open: number) => void) {
    this.#tell = tell;
  }

  /** A connection was opened (1) or closed (-1). */
  change(by: 1 | -1): void {
    this.#open += by;
    if (by < 0) this.#goneNow++;
    if (Math.abs(this.#staying - this.#told) >= Math.max(STEP, this.#told >> 5)) this.#say();
    if (!this.#isWatching) this.#watch();
  }

  /** The open connections, less as many as were closed lately: that many are expected to be closed soon. */
  get #staying(): number {
    return Math.max(0, this.#open - Math.max(this.#goneBefore, this.#goneNow));
  }

  #watch(): void {
    this.#isWatching = true;
    setTimeout(() => this.#turn(), WINDOW_MS);
  }

  #turn(): void {
    this.#goneBefore = this.#goneNow;
    this.#goneNow = 0;
    this.#isWatching = false;
    if (this.#goneBefore > 0) this.#watch();
    this.#say();
  }

  #say(): void {
    const staying = this.#staying;
    if (staying === this.#told) return;
    this.#told = staying;
    this.#tell(staying);
  }
}
