import { LegacyScheme } from '../../core/routing/legacy-scheme.ts';
import type { Route } from '../../core/routing/types.ts';
import type { Asker, HealthMarks, RouteLookups } from '../store.ts';

type Routes = RouteLookups & Pick<HealthMarks, 'hasHealthChecker'>;

/** The routes of a store, with `https:` backends as in Hipache: `server.legacyScheme`. */
export class LegacyRoutes implements Routes {
  readonly #store: Routes;
  readonly #scheme = new LegacyScheme();

  constructor(store: Routes) {
    this.#store = store;
  }

  async find(candidates: readonly string[], path: string, asker?: Asker): Promise<Route | null> {
    const route = await this.#store.find(candidates, path, asker);
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
