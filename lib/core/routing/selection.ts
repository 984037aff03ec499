import { RouterError } from '../errors.ts';
import type { Balancing } from './choice.ts';
import type { Backend, BackendLoad, RequestTraits, Route, Selection } from './types.ts';

/** Any of the living backends, with equal probability. */
export const pickRandom: Selection = (alive, _loadOf, _traits, random) => {
  const backend = alive[Math.floor(random() * alive.length)];
  if (!backend) throw new RangeError('nothing to pick from');
  return backend;
};

/** The load of a backend without a state. */
export const NO_LOAD: BackendLoad = Object.freeze({
  inFlight: 0,
  waiting: 0,
  open: 0,
  idle: 0,
  latencyMs: 0,
  peakMs: 0,
  peakAt: 0,
  isDead: false,
});

/**
 * Chooses a living backend that this request has not tried yet. If all were tried, one that a router marked dead,
 * once: it may be alive again, and otherwise the client would get an error. Marks of health checkers and operators
 * are always respected. Null when none is left.
 * @throws RouterError `no-backend` when none is named, none is usable, or all are dead
 */
export function choose(
  route: Route,
  tried: ReadonlySet<number>,
  balancing: Balancing,
  traits: RequestTraits,
): Backend | null {
  if (route.size === 0)
    throw new RouterError('no-backend', 'Cannot find a valid backend: the list holds an identifier only');
  if (route.backends.length === 0) throw new RouterError('no-backend', 'backend is invalid');
  const alive = living(route);
  if (alive.length === 0) throw new RouterError('no-backend', 'Cannot find a valid backend: all are dead');
  const fresh = tried.size === 0 ? alive : alive.filter(({ id }) => !tried.has(id));
  if (fresh.length > 0) return pick(fresh, route, traits, balancing);
  const lastResort = marked(route, tried);
  return lastResort.length === 0 ? null : pick(lastResort, route, traits, balancing);
}

function pick(among: readonly Backend[], route: Route, traits: RequestTraits, balancing: Balancing): Backend {
  const { balance } = route.site;
  if (balance !== null) return balance.select(among, route, traits, balancing);
  return balancing.select(among, balancing.loadOf, traits, balancing.random);
}

/** The backends that are not presumed dead. A sole backend is always used, even if it is marked. */
export function living({ backends, dead, size }: Route): readonly Backend[] {
  return dead.size === 0 || size === 1 ? backends : backends.filter(({ id }) => !dead.has(id));
}

/** The backends that routers marked dead; none if one of them was tried already. */
function marked({ backends, deadByRouters }: Route, tried: ReadonlySet<number>): readonly Backend[] {
  if (deadByRouters.size === 0) return [];
  const candidates = backends.filter(({ id }) => deadByRouters.has(id));
  return candidates.some(({ id }) => tried.has(id)) ? [] : candidates;
}

/**
 * Whether this is the last living backend of its site. Routers never mark it: otherwise one client whose requests
 * make backends fail could take a site down.
 */
export function isLastLiving(
  backends: readonly Pick<Backend, 'id'>[],
  id: number,
  isDead: (id: number) => boolean,
): boolean {
  return backends.every((other) => other.id === id || isDead(other.id));
}
