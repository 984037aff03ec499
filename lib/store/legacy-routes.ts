import { LegacyScheme } from '../core/legacy-scheme.ts';
import type { Route } from '../core/types.ts';
import type { RouteStore } from './store.ts';

type Routes = Pick<RouteStore, 'find' | 'peek' | 'page' | 'hasHealthChecker'>;

/** The routes of a store, with https as Hipache took it: `server.legacyScheme`. */
export class LegacyRoutes implements Routes {
  readonly #store: Routes;
  readonly #scheme = new LegacyScheme();

  constructor(store: Routes) {
    this.#store = store;
  }

  async find(candidates: readonly string[], path: string): Promise<Route | null> {
    const route = await this.#store.find(candidates, path);
    return route && this.#scheme.apply(route);
  }

  peek(host: string, path: string): Route | null | undefined {
    const route = this.#store.peek(host, path);
    return route && this.#scheme.apply(route);
  }

  page(keys: readonly string[], status: number): Promise<string | null> {
    return this.#store.page(keys, status);
  }

  get hasHealthChecker(): boolean {
    return this.#store.hasHealthChecker;
  }
}
