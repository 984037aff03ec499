import { RouterError } from '../errors.ts';
import type { Backend, BackendLoad, LoadOf, RequestTraits, Route, Selection } from './types.ts';

/** Any of the living, each as likely as the next. */
export const pickRandom: Selection = (alive, _loadOf, _traits, random) => {
  const backend = alive[Math.floor(random() * alive.length)];
  if (!backend) throw new RangeError('nothing to pick from');
  return backend;
};

/** The load of a backend that nothing is known of. */
export const NO_LOAD: BackendLoad = Object.freeze({
  inFlight: 0,
  waiting: 0,
  open: 0,
  idle: 0,
  latencyMs: 0,
  isDead: false,
});

/** How backends are chosen. */
export interface Balancing {
  readonly select: Selection;
  readonly loadOf: LoadOf;
  /** Returns [0, 1). */
  readonly random: () => number;
}

/**
 * A living backend that this request has not tried yet. When it has tried them all, one that a router marked dead, once:
 * it may be well again, and the client would get an error otherwise. Marks of health checkers and operators are always
 * obeyed. Null when there is none left.
 * @throws RouterError `no-backend` when there is none to begin with: none named, none usable, or all dead
 */
export function choose(
  route: Route,
  tried: ReadonlySet<number>,
  { select, loadOf, random }: Balancing,
  traits: RequestTraits,
): Backend | null {
  if (route.size === 0)
    throw new RouterError('no-backend', 'Cannot find a valid backend: the list holds an identifier only');
  if (route.backends.length === 0) throw new RouterError('no-backend', 'backend is invalid');
  const alive = living(route);
  if (alive.length === 0) throw new RouterError('no-backend', 'Cannot find a valid backend: all are dead');
  const fresh = tried.size === 0 ? alive : alive.filter(({ id }) => !tried.has(id));
  if (fresh.length > 0) return select(fresh, loadOf, traits, random);
  const lastResort = marked(route, tried);
  return lastResort.length === 0 ? null : select(lastResort, loadOf, traits, random);
}

/** The backends that are not presumed dead. A sole backend always is: it is served whatever is marked. */
export function living({ backends, dead, size }: Route): readonly Backend[] {
  return dead.size === 0 || size === 1 ? backends : backends.filter(({ id }) => !dead.has(id));
}

/** The backends that routers marked dead; none when one of them was tried already. */
function marked({ backends, deadByRouters }: Route, tried: ReadonlySet<number>): readonly Backend[] {
  if (deadByRouters.size === 0) return [];
  const candidates = backends.filter(({ id }) => deadByRouters.has(id));
  return candidates.some(({ id }) => tried.has(id)) ? [] : candidates;
}

/**
 * Whether the site would be without a living backend if this one were marked dead: then no router marks it. One client
 * whose requests make backends fail could take a whole site down otherwise.
 */
export function isLastLiving(
  backends: readonly Pick<Backend, 'id'>[],
  id: number,
  isDead: (id: number) => boolean,
): boolean {
  return backends.every((other) => other.id === id || isDead(other.id));
}
