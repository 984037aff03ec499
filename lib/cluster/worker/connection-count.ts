/** A change of so many connections is told at once; of many connections, a 32nd. */
const STEP = 16;
/** How long a smaller change may stay untold, ms; and who stays for less has not stayed. */
const WINDOW_MS = 20;

/**
 * Tells how many connections have come to stay, but not at each that comes or goes: soon when few have, at once when
 * many have. So a burst is seen while it lasts. Where connections come and go within milliseconds, none stays and
 * nothing is told: they are even by themselves, and whoever accepted none of them for a while would have nothing to do.
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

  /** A connection has come, or gone. */
  change(by: 1 | -1): void {
    this.#open += by;
    if (by < 0) this.#goneNow++;
    if (Math.abs(this.#staying - this.#told) >= Math.max(STEP, this.#told >> 5)) this.#say();
    if (!this.#isWatching) this.#watch();
  }

  /** As many as have gone lately are taken to go soon. */
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
