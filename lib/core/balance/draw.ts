/** Draws by chance. Pure functions. */
import type { Backend } from '../routing/backend-url.ts';
import type { Method, Weights } from './method.ts';

/** `balance random`: each backend in proportion to its weight. */
export const byChance: Method = (among, weights, _list, _traits, { random }) => at(among, draw(among, weights, random));

/**
 * An index into `among`, each with a chance in proportion to its weight.
 * @param but an index that is not drawn, where there is another
 */
export function draw(among: readonly Backend[], weights: Weights, random: () => number, but = -1): number {
  const { length } = among;
  if (length < 2) return 0;
  if (weights === null) {
    if (but < 0) return Math.floor(random() * length);
    const drawn = Math.floor(random() * (length - 1));
    return drawn < but ? drawn : drawn + 1;
  }
  let total = 0;
  for (let i = 0; i < length; i++) if (i !== but) total += weightAt(among, weights, i);
  let left = random() * total;
  let last = 0;
  for (let i = 0; i < length; i++) {
    if (i === but) continue;
    last = i;
    left -= weightAt(among, weights, i);
    if (left < 0) break;
  }
  return last;
}

/** The element of a list that is never empty. @throws RangeError where it is */
export function at(among: readonly Backend[], index: number): Backend {
  const backend = among[index];
  if (backend === undefined) throw new RangeError('nothing to choose from');
  return backend;
}

/** The weight of one of several backends: 1 where all are equal. */
export function weightAt(among: readonly Backend[], weights: Weights, index: number): number {
  if (weights === null) return 1;
  const backend = among[index];
  return backend === undefined ? 0 : (weights[backend.id] ?? 0);
}
