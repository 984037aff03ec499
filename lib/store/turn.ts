/** Something that many wait for, each until its own deadline. */
export class Turn {
  /** Resolves at `end()`. */
  readonly promise: Promise<void>;
  #end = () => {};

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Lets everybody go on. Idempotent. */
  end(): void {
    this.#end();
  }

  /** Resolves at `end()`, or at the deadline (in `performance.now()` milliseconds) when that comes first. */
  async endsBy(deadline: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, deadline - performance.now()));
    });
    await Promise.race([this.promise, late]);
    clearTimeout(timer);
  }
}
