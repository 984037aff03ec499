import type { Exchange } from '../proxy/exchange.ts';

/** The limits of a drain, ms. 0 cuts at once. */
export interface DrainLimits {
  readonly requestsMs: number;
  readonly tunnelsMs: number;
}

/** The exchanges of the fast lane, which counts them itself. */
export interface Flow {
  /** How many are open, with those that it handed off to the full lane. */
  readonly size: number;
  /** How many of them it handed off. */
  readonly handedOff: number;
  /** Cuts all of them. */
  cut(): void;
  /** Set by Traffic; called whenever `size` becomes 0. */
  onQuiet: () => void;
}

/** The open exchanges of a worker, in both lanes. */
export class Traffic {
  readonly #flow: Flow | null;
  readonly #open = new Set<Exchange>();
  #onQuiet: (() => void) | null = null;

  /** @param flow the exchanges of the fast lane; null where it is off */
  constructor(flow: Flow | null = null) {
    this.#flow = flow;
  }

  /**
   * Adds an exchange. @param over resolves when the exchange has ended and was recorded; the worker must not exit
   * earlier
   */
  add(exchange: Exchange, over: Promise<void>): void {
    this.#open.add(exchange);
    void over.then(() => {
      this.#open.delete(exchange);
      if (this.#pending === 0) this.#onQuiet?.();
    });
  }

  /** The number of open exchanges. */
  get size(): number {
    return this.#pending - (this.#flow?.handedOff ?? 0);
  }

  /** What a drain waits for: an exchange that was handed off ends in both lanes, and counts in both. */
  get #pending(): number {
    return this.#open.size + (this.#flow?.size ?? 0);
  }

  /** The number of upgraded connections. */
  get tunnels(): number {
    let count = 0;
    for (const { status } of this.#open) if (status === 101) count++;
    return count;
  }

  /** Resolves when every exchange is over. Cuts exchanges that exceed their limit. */
  async drained({ requestsMs, tunnelsMs }: DrainLimits): Promise<void> {
    if (this.#pending === 0) return;
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
        if (this.#pending === 0) resolve();
      };
    });
    for (const timer of timers) clearTimeout(timer);
  }

  /** Cuts the upgraded connections of a frontend to some of its backends, by their URLs as they are in its list. */
  cutTunnels(key: string, urls: ReadonlySet<string>): void {
    this.#cut(({ status, route, trying }) => status === 101 && route?.key === key && urls.has(trying?.href ?? ''));
  }

  /** Cuts every open exchange. */
  cut(): void {
    this.#cut(() => true);
    this.#flow?.cut();
  }

  #cut(isOverdue: (exchange: Exchange) => boolean): void {
    for (const exchange of this.#open) if (isOverdue(exchange)) exchange.cut();
  }
}
