import type { Exchange } from '../proxy/exchange.ts';

/** How long a stop waits, ms. 0 cuts at once. */
export interface DrainLimits {
  readonly requestsMs: number;
  readonly tunnelsMs: number;
}

/** Exchanges of the fast lane, which are not counted one by one here. */
export interface Flow {
  /** How many are not over. */
  readonly size: number;
  /** Cuts all of them. */
  cut(): void;
  /** To be told whenever `size` has become 0. */
  onQuiet: () => void;
}

/** The exchanges of a worker that are not over. */
export class Traffic {
  readonly #flow: Flow | null;
  readonly #open = new Set<Exchange>();
  #onQuiet: (() => void) | null = null;

  /** @param flow the fast lane, where there is one */
  constructor(flow: Flow | null = null) {
    this.#flow = flow;
  }

  /** @param over resolves when the exchange has ended and has been recorded: a worker must not end before that */
  add(exchange: Exchange, over: Promise<void>): void {
    this.#open.add(exchange);
    void over.then(() => {
      this.#open.delete(exchange);
      if (this.size === 0) this.#onQuiet?.();
    });
  }

  get size(): number {
    return this.#open.size + (this.#flow?.size ?? 0);
  }

  /** Upgraded connections that are open. */
  get tunnels(): number {
    let count = 0;
    for (const { status } of this.#open) if (status === 101) count++;
    return count;
  }

  /** Resolves when every exchange is over; those that outlast their limit are cut. */
  async drained({ requestsMs, tunnelsMs }: DrainLimits): Promise<void> {
    if (this.size === 0) return;
    const timers = [
      setTimeout(() => {
        this.#cut((exchange) => exchange.status !== 101);
        this.#flow?.cut();
      }, requestsMs),
      setTimeout(() => this.#cut(() => true), Math.max(requestsMs, tunnelsMs)),
    ];
    await new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
      if (this.#flow === null) return;
      this.#flow.onQuiet = () => {
        if (this.size === 0) resolve();
      };
    });
    for (const timer of timers) clearTimeout(timer);
  }

  /** Cuts every exchange that is not over. */
  cut(): void {
    this.#cut(() => true);
    this.#flow?.cut();
  }

  #cut(isOverdue: (exchange: Exchange) => boolean): void {
    for (const exchange of this.#open) if (isOverdue(exchange)) exchange.cut();
  }
}
