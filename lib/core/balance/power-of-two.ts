/**
 * `balance p2c`: of two backends drawn by chance, the one with less load for its weight. That avoids the busiest ones
 * nearly as well as a look at all, and does not send every request of a moment to the same one (Mitzenmacher, "The Power
 * of Two Choices in Randomized Load Balancing", 2001).
 */
import type { Backend } from '../routing/backend-url.ts';
import type { Balancing } from '../routing/choice.ts';
import { at, draw, weightAt } from './draw.ts';
import type { Method, Weights } from './method.ts';

/** How much load a backend has; less is better. */
export type Cost = (backend: Backend, balancing: Balancing) => number;

export const powerOfTwo: Method = (among, weights, _list, _traits, balancing) =>
  betterOfTwo(among, weights, balancing, requestsAt);

/** The first one drawn, unless the second has less cost for its weight. */
export function betterOfTwo(among: readonly Backend[], weights: Weights, balancing: Balancing, cost: Cost): Backend {
  const { random } = balancing;
  const first = draw(among, weights, random);
  const one = at(among, first);
  if (among.length < 2) return one;
  const second = draw(among, weights, random, first);
  const other = at(among, second);
  const isOtherBetter =
    cost(other, balancing) * weightAt(among, weights, first) < cost(one, balancing) * weightAt(among, weights, second);
  return isOtherBetter ? other : one;
}

/** The requests of this worker that the backend works on, and those that wait for it. */
export function requestsAt(backend: Backend, { loadOf }: Balancing): number {
  const { inFlight, waiting } = loadOf(backend);
  return inFlight + waiting;
}
