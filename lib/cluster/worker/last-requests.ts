/** When the program ends: how long to wait for next requests on open connections, ms. */
const LAST_IDLE_MS = 1_000;

/**
 * The last requests of a worker that accepts no more. An open connection may bring a request at any moment, which would
 * be lost if the connection was closed then. So the response to a next request asks the client to close (RFC 9112
 * §9.6), and only connections that are idle for long are closed.
 */
export class LastRequests {
  #idleMs: number;
  #isOver = false;
  #wait: () => void = () => {};

  /** @param idleMs how long connections may be idle in normal operation; Infinity is no limit */
  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  /** Whether idle connections are closed now. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The program ends: from now on waits for LAST_IDLE_MS at most. */
  hurry(): void {
    this.#idleMs = LAST_IDLE_MS;
    this.#wait();
  }

  /** Resolves when the time is up, or when no connection is open any more. */
  async ended(limitMs: number, allClosed: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wait = () => {
        clearTimeout(timer);
        timer = setTimeout(resolve, Math.min(limitMs, this.#idleMs));
      };
      this.#wait();
      void allClosed.then(resolve);
    });
    clearTimeout(timer);
    this.#wait = () => {};
    this.#isOver = true;
  }
}
