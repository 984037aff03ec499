/** `balance leastconn`: the backend with the fewest requests for its weight; by chance among those that have equally few. */
import { at, weightAt } from './draw.ts';
import type { Method } from './method.ts';
import { requestsAt } from './power-of-two.ts';

export const leastConnections: Method = (among, weights, _list, _traits, balancing) => {
  let least = Infinity;
  /** The weights of those that have as few. */
  let sum = 0;
  let chosen = 0;
  for (let i = 0; i < among.length; i++) {
    const weight = weightAt(among, weights, i);
    const load = requestsAt(at(among, i), balancing) / weight;
    if (load > least) continue;
    sum = load < least ? weight : sum + weight;
    least = load;
    // Of several, each has a chance in proportion to its weight.
    if (sum === weight || balancing.random() * sum < weight) chosen = i;
  }
  return at(among, chosen);
};
