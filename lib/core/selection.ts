import { RouterError } from './errors.ts';
import type { Backend, RequestTraits, Route, Selection } from './types.ts';

/** Any of the living, each as likely as the next. */
export const pickRandom: Selection = (alive, _traits, random) => {
  const backend = alive[Math.floor(random() * alive.length)];
  if (!backend) throw new RangeError('nothing to pick from');
  return backend;
};

/**
 * A living backend that this request has not tried yet, or null when it has tried them all.
 * @throws RouterError `no-backend` when there is none to begin with: none named, none usable, or all dead
 */
export function choose(
  route: Route,
  tried: ReadonlySet<number>,
  select: Selection,
  traits: RequestTraits,
  random: () => number,
): Backend | null {
  if (route.size === 0)
    throw new RouterError('no-backend', 'Cannot find a valid backend: the list holds an identifier only');
  if (route.backends.length === 0) throw new RouterError('no-backend', 'backend is invalid');
  const alive = route.dead.size === 0 ? route.backends : route.backends.filter(({ id }) => !route.dead.has(id));
  if (alive.length === 0) throw new RouterError('no-backend', 'Cannot find a valid backend: all are dead');
  const fresh = tried.size === 0 ? alive : alive.filter(({ id }) => !tried.has(id));
  return fresh.length === 0 ? null : select(fresh, traits, random);
}
