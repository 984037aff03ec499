import { originOf } from './backend.ts';
import type { Backend, Route } from './types.ts';

/**
 * A route as Hipache interprets it: Hipache used host and port only, so https backends were contacted without TLS, on
 * port 80 if the URL has none. The names of backends do not change.
 */
export class LegacyScheme {
  // A route without https is its own, and one with is made once: lanes tell servers apart by their backends.
  readonly #routes = new WeakMap<Route, Route>();
  readonly #backends = new WeakMap<Backend, Backend>();
  // Lists, too: what balances a site remembers by them.
  readonly #lists = new WeakMap<readonly Backend[], readonly Backend[]>();

  readonly apply = (route: Route): Route => {
    let applied = this.#routes.get(route);
    if (applied === undefined) {
      const isConcerned = route.backends.some(({ protocol }) => protocol === 'https:');
      applied = isConcerned ? Object.freeze({ ...route, backends: this.#allInTheClear(route.backends) }) : route;
      this.#routes.set(route, applied);
    }
    return applied;
  };

  #allInTheClear(backends: readonly Backend[]): readonly Backend[] {
    let clear = this.#lists.get(backends);
    if (clear === undefined) {
      clear = Object.freeze(backends.map((backend) => this.#inTheClear(backend)));
      this.#lists.set(backends, clear);
    }
    return clear;
  }

  #inTheClear(backend: Backend): Backend {
    if (backend.protocol !== 'https:') return backend;
    let clear = this.#backends.get(backend);
    if (clear === undefined) {
      clear = inTheClear(backend);
      this.#backends.set(backend, clear);
    }
    return clear;
  }
}

/** A backend with https as one without. */
export function inTheClear(backend: Backend): Backend {
  const hasPort = /:[0-9]+$/.test(originOf(backend));
  return Object.freeze({ ...backend, protocol: 'http:', port: hasPort ? backend.port : 80 });
}
