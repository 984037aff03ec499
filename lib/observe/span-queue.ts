/** A bounded queue of exchanges whose spans are to be exported, in batches, one at a time. */

/** How many exchanges may wait; further ones are lost. About 2 KB each. */
const MAX_WAITING = 2_048;
/** Exchanges per batch: a larger one would block the event loop while it is written as JSON. */
const BATCH = 64;
/** How long an incomplete batch waits, and how long a collector that failed is left alone, ms. */
const PAUSE_MS = 1_000;

/** What a SpanQueue needs. */
export interface SpanQueueParts<Item> {
  /** Exports a batch. Rejects when the collector did not accept it. */
  readonly send: (batch: readonly Item[]) => Promise<void>;
  /** The time limit of a batch, ms. */
  readonly limitMs: number;
  readonly onSent: () => void;
  readonly onFailed: (cause: unknown) => void;
  /** Called for exchanges that will never be exported. */
  readonly onLost: (items: readonly Item[]) => void;
}

/** A bounded queue that exports its items in batches, one at a time. */
export class SpanQueue<Item> {
  readonly #parts: SpanQueueParts<Item>;
  #waiting: Item[] = [];
  #sending: Promise<boolean> | null = null;
  #underWay: readonly Item[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** Whether the collector has failed within the last PAUSE_MS. */
  #isLeftAlone = false;
  #isClosed = false;

  constructor(parts: SpanQueueParts<Item>) {
    this.#parts = parts;
  }

  /** Adds an exchange. Never throws or blocks. */
  add(item: Item): void {
    if (this.#isClosed || this.#waiting.length >= MAX_WAITING) return this.#parts.onLost([item]);
    this.#waiting.push(item);
    if (this.#sending !== null) return;
    // After a failure, nothing is sent until the pause is over, however many wait.
    if (this.#waiting.length >= BATCH && !this.#isLeftAlone) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), PAUSE_MS).unref();
  }

  /** Exports what waits, within the limit; the rest is lost. Idempotent. */
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
      // A collector that fails now gets no further attempt.
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
      timer = setTimeout(() => reject(new Error('the collector did not respond in time')), limitMs).unref();
    });
    try {
      await Promise.race([send(batch), timeUp]);
      onSent();
      return true;
    } catch (cause) {
      // Unless `close` has reported the batch as lost.
      if (this.#underWay === batch) onLost(batch);
      onFailed(cause);
      return false;
    } finally {
      clearTimeout(timer);
      this.#underWay = [];
    }
  }
}
