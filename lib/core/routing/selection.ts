import { RouterError } from '../errors.ts';
import { withMarks } from './backend.ts';
import type { Balancing, RestingBackends, TrialChoice } from './choice.ts';
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

/** Where no backend is rested. */
export const NO_RESTS: RestingBackends = Object.freeze({
  among: (_: readonly Backend[], alive: readonly Backend[]) => alive,
});

/** Where no request is a trial. */
export const NO_TRIALS: TrialChoice = Object.freeze({ next: () => null, begun: () => {}, left: () => {} });

/**
 * Chooses a living backend that this request has not tried yet, or one on trial, if this request is to be its trial. Those
 * that are rested come after the others. If all were tried, one on trial is chosen, then one that a router marked dead,
 * once: it may be alive again, and otherwise the client would get an error. Marks of health checkers and operators are
 * always respected. Null when none is left.
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
  const served = serving(route);
  const alive = route.site.eject === null ? served : balancing.outliers.among(route.backends, served);
  if (alive.length === 0) throw new RouterError('no-backend', 'Cannot find a valid backend: all are dead');
  if (route.onTrial.size > 0 && tried.size === 0) {
    const tries = trial(alive, route, traits, balancing);
    if (tries !== null) return tries;
  }
  const fresh = untried(alive, tried);
  if (fresh.length > 0) return pick(fresh, route, traits, balancing);
  const rested = alive === served ? [] : untried(served, tried);
  if (rested.length > 0) return pick(rested, route, traits, balancing);
  const due = route.onTrial.size === 0 ? [] : untried(awaitingTrial(route), tried);
  if (due.length > 0) return pick(due, route, traits, balancing);
  const lastResort = marked(route, tried);
  return lastResort.length === 0 ? null : pick(lastResort, route, traits, balancing);
}

function pick(among: readonly Backend[], route: Route, traits: RequestTraits, balancing: Balancing): Backend {
  const { balance } = route.site;
  if (balance !== null) return balance.select(among, route, traits, balancing);
  return balancing.select(among, balancing.loadOf, traits, balancing.random);
}

function untried(among: readonly Backend[], tried: ReadonlySet<number>): readonly Backend[] {
  return tried.size === 0 ? among : among.filter(({ id }) => !tried.has(id));
}

/** The backend that this request is to try; null for none. @param alive those that serve */
function trial(alive: readonly Backend[], route: Route, traits: RequestTraits, balancing: Balancing): Backend | null {
  const { onTrial, site } = route;
  // Without a living backend, all that are on trial serve.
  if (alive.some(({ id }) => onTrial.has(id))) return null;
  const { balance } = site;
  // A client that returns to its backend stays there.
  if (balance !== null && balance.held(alive, route, traits, balancing) !== null) return null;
  // One that would get no request if it lived, such as a draining one, gets no trial.
  const due = awaitingTrial(route).filter(
    (backend) => balance === null || balance.candidates([...alive, backend], route, balancing.zone).includes(backend),
  );
  return due.length === 0 ? null : balancing.trials.next(route, due, traits);
}

function awaitingTrial({ backends, onTrial }: Route): readonly Backend[] {
  return backends.filter(({ id }) => onTrial.has(id));
}

/** The backends that get requests: the living ones, or, without any, those on trial. */
function serving(route: Route): readonly Backend[] {
  const alive = living(route);
  return alive.length > 0 || route.onTrial.size === 0 ? alive : awaitingTrial(route);
}

/** The backends that are not presumed dead. A sole backend is always used, even if it is marked. */
export function living({ backends, dead, size }: Route): readonly Backend[] {
  return dead.size === 0 || size === 1 ? backends : backends.filter(({ id }) => !dead.has(id));
}

/**
 * The same route with more backends that this worker alone presumes dead, for which there is no trial. The route itself,
 * where none would live then: others have marked the rest meanwhile.
 */
export function withDead<T extends Route>(route: T, ids: ReadonlySet<number>): T | Route {
  if (ids.size === 0) return route;
  const { dead, deadByRouters, onTrial } = route;
  const merged = withMarks(route, {
    dead: new Set([...dead, ...ids]),
    deadByRouters: new Set([...deadByRouters, ...ids]),
    onTrial: onTrial.size === 0 ? onTrial : new Map([...onTrial].filter(([id]) => !ids.has(id))),
  });
  return living(merged).length === 0 ? route : merged;
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
