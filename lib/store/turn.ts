/** An event that several callers await, each with a deadline of its own. */
export class Turn {
  /** Resolves at `end()`. */
  readonly promise: Promise<void>;
  #end = () => {};

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Resolves all promises. Idempotent. */
  end(): void {
    this.#end();
  }

  /** Resolves at `end()`, or at the deadline (`performance.now()` ms), whichever is first. */
  async endsBy(deadline: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, deadline - performance.now()));
    });
    await Promise.race([this.promise, late]);
    clearTimeout(timer);
  }
}
