/** How long a program that ends waits for next requests on connections that are open, ms. */
const LAST_IDLE_MS = 1_000;

/**
 * The last requests of a worker that accepts no more. A connection that is open may bring one more at any moment, and
 * to close it then would lose that. So those that come are answered with `Connection: close` (RFC 9112 §9.6), and only
 * who brings none for long is closed.
 */
export class LastRequests {
  #idleMs: number;
  #isOver = false;
  #wait: () => void = () => {};

  /** @param idleMs how long a connection may wait for a next request at any time; Infinity for no limit */
  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  /** Nobody waits for them any more: connections that bring none are closed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The program ends: from now on a second has to do. */
  hurry(): void {
    this.#idleMs = LAST_IDLE_MS;
    this.#wait();
  }

  /** Resolves when they are over: time is up, or nobody is there any more. */
  async ended(limitMs: number, nobodyIsThere: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wait = () => {
        clearTimeout(timer);
        timer = setTimeout(resolve, Math.min(limitMs, this.#idleMs));
      };
      this.#wait();
      void nobodyIsThere.then(resolve);
    });
    clearTimeout(timer);
    this.#wait = () => {};
    this.#isOver = true;
  }
}
