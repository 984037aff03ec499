import { LRUCache } from 'lru-cache';
import { RouterError } from '../core/errors.ts';
import type { Death, Route } from '../core/types.ts';
import type { RouteStore } from './store.ts';

/**
 * Hipache's `server.lruCache`: routes that were found are not asked for again for a while, so that changes and other
 * routers' dead marks show up to `ttl` late. A frontend that was not found is asked for each time: a new one works at
 * once. While the store is down, a route that was known still serves, however old.
 */
export class CachedStore implements RouteStore {
  readonly #inner: RouteStore;
  readonly #routes: LRUCache<string, Route>;
  /** Counts deaths: what was read before one must not be kept after it. */
  #deaths = 0;

  /**
   * @param size frontends kept at most
   * @param ttlSeconds how long a route is not asked for again
   */
  constructor(inner: RouteStore, size: number, ttlSeconds: number) {
    this.#inner = inner;
    this.#routes = new LRUCache({ max: size, ttl: ttlSeconds * 1000, noDeleteOnStaleGet: true });
  }

  get hasHealthChecker(): boolean {
    return this.#inner.hasHealthChecker;
  }

  async find(candidates: readonly string[]): Promise<Route | null> {
    const frontend = candidates[0] ?? '';
    return this.#routes.get(frontend) ?? this.#ask(frontend, candidates);
  }

  peek(frontend: string): Route | undefined {
    return this.#routes.get(frontend);
  }

  async markDead(death: Death, ttlSeconds: number): Promise<void> {
    this.#forget(death.frontend);
    try {
      await this.#inner.markDead(death, ttlSeconds);
    } finally {
      // Again: what was read meanwhile may not know of it.
      this.#forget(death.frontend);
    }
  }

  ready(): Promise<void> {
    return this.#inner.ready();
  }

  close(): Promise<void> {
    this.#routes.clear();
    return this.#inner.close();
  }

  async #ask(frontend: string, candidates: readonly string[]): Promise<Route | null> {
    const deaths = this.#deaths;
    try {
      const route = await this.#inner.find(candidates);
      if (route === null || route.size === 0) this.#routes.delete(frontend);
      else if (deaths === this.#deaths) this.#routes.set(frontend, route);
      return route;
    } catch (error) {
      const known = this.#routes.get(frontend, { allowStale: true });
      if (known !== undefined && error instanceof RouterError && error.code === 'store-unavailable') return known;
      throw error;
    }
  }

  #forget(frontend: string): void {
    this.#deaths++;
    this.#routes.delete(frontend);
  }
}
