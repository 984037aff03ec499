/** Exchanges that wait for their spans to be exported: bounded, in batches, one under way at a time. */

/** Exchanges that wait at most; those that come on top are lost. Some 2 KB each. */
const MAX_WAITING = 2_048;
/** Exchanges in one batch: more would hold up traffic while they are written as JSON. */
const BATCH = 64;
/** How long less than a batch waits for more, and how long a collector that failed is left alone, ms. */
const PAUSE_MS = 1_000;

export interface SpanQueueParts<Item> {
  /** Exports a batch. Rejects when the collector did not take it. */
  readonly send: (batch: readonly Item[]) => Promise<void>;
  /** A batch that takes longer has failed, ms. */
  readonly limitMs: number;
  readonly onSent: () => void;
  readonly onFailed: (cause: unknown) => void;
  /** Told of what will never be exported. */
  readonly onLost: (items: readonly Item[]) => void;
}

export class SpanQueue<Item> {
  readonly #parts: SpanQueueParts<Item>;
  #waiting: Item[] = [];
  #sending: Promise<boolean> | null = null;
  #underWay: readonly Item[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** The collector has failed a moment ago. */
  #isLeftAlone = false;
  #isClosed = false;

  constructor(parts: SpanQueueParts<Item>) {
    this.#parts = parts;
  }

  /** Takes one over. Never throws, never waits. */
  add(item: Item): void {
    if (this.#isClosed || this.#waiting.length >= MAX_WAITING) return this.#parts.onLost([item]);
    this.#waiting.push(item);
    if (this.#sending !== null) return;
    // A timer that is set after a failure is waited for, however many there are by then.
    if (this.#waiting.length >= BATCH && !this.#isLeftAlone) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), PAUSE_MS).unref();
  }

  /** Exports what waits, for so long at most; the rest is lost. Idempotent. */
  async close(limitMs: number): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([this.#drain(), timeUp]);
    clearTimeout(timer);
    if (this.#timer !== null) clearTimeout(this.#timer);
    const rest = [...this.#underWay, ...this.#waiting];
    this.#underWay = [];
    this.#waiting = [];
    if (rest.length > 0) this.#parts.onLost(rest);
  }

  async #drain(): Promise<void> {
    await this.#sending;
    while (this.#waiting.length > 0) {
      this.#send();
      // A collector that fails now has had its time.
      if ((await this.#sending) === false) return;
    }
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isLeftAlone = false;
    if (this.#sending !== null || this.#waiting.length === 0) return;
    const sending = this.#deliver(this.#waiting.splice(0, BATCH));
    this.#sending = sending;
    void sending.then((isSent) => {
      if (this.#sending === sending) this.#sending = null;
      this.#isLeftAlone = !isSent;
      if (this.#isClosed || this.#waiting.length === 0) return;
      if (isSent && this.#waiting.length >= BATCH) this.#send();
      else this.#timer ??= setTimeout(() => this.#send(), PAUSE_MS).unref();
    });
  }

  async #deliver(batch: readonly Item[]): Promise<boolean> {
    this.#underWay = batch;
    let timer: NodeJS.Timeout | undefined;
    const { send, limitMs, onSent, onFailed, onLost } = this.#parts;
    const timeUp = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the collector did not answer in time')), limitMs).unref();
    });
    try {
      await Promise.race([send(batch), timeUp]);
      onSent();
      return true;
    } catch (cause) {
      // Unless the end came first.
      if (this.#underWay === batch) onLost(batch);
      onFailed(cause);
      return false;
    } finally {
      clearTimeout(timer);
      this.#underWay = [];
    }
  }
}
