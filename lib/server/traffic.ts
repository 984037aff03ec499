import type { Exchange } from '../proxy/exchange.ts';

/** How long a stop waits, ms. 0 cuts at once. */
export interface DrainLimits {
  readonly requestsMs: number;
  readonly tunnelsMs: number;
}

/** The exchanges of a worker that have not ended. */
export class Traffic {
  readonly #open = new Set<Exchange>();
  #onQuiet: (() => void) | null = null;

  add(exchange: Exchange): void {
    this.#open.add(exchange);
    void exchange.ended.then(() => {
      this.#open.delete(exchange);
      if (this.#open.size === 0) this.#onQuiet?.();
    });
  }

  get size(): number {
    return this.#open.size;
  }

  /** Resolves when every exchange has ended; those that outlast their limit are cut. */
  async drained({ requestsMs, tunnelsMs }: DrainLimits): Promise<void> {
    if (this.#open.size === 0) return;
    const timers = [
      setTimeout(() => this.#cut((exchange) => exchange.status !== 101), requestsMs),
      setTimeout(() => this.#cut(() => true), Math.max(requestsMs, tunnelsMs)),
    ];
    await new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
    });
    for (const timer of timers) clearTimeout(timer);
  }

  #cut(isOverdue: (exchange: Exchange) => boolean): void {
    for (const exchange of this.#open) if (isOverdue(exchange)) exchange.cut();
  }
}
