/**
 * `balance roundrobin`: each in its turn, as often as its weight says, with the turns of a heavy one spread out ("smooth
 * weighted round-robin", as nginx has it). Each choice gives every candidate its weight as credit, takes the one with the
 * most, and takes the weights of all from that one. The credits are those of this worker, and begin by chance: workers
 * that start together do not all begin with the same backend.
 */
import { at, weightAt } from './draw.ts';
import type { Method } from './method.ts';

export const roundRobin: Method = (among, weights, list, _traits, { turns, random }) => {
  if (among.length < 2) return at(among, 0);
  const credits = turns.of(list, random);
  let sum = 0;
  let most = -Infinity;
  let chosen = 0;
  for (let i = 0; i < among.length; i++) {
    const { id } = at(among, i);
    const weight = weightAt(among, weights, i);
    // The first credits are below 1, and weights may be any numbers.
    const credit = (credits[id] ?? 0) + weight;
    credits[id] = credit;
    sum += weight;
    if (credit <= most) continue;
    most = credit;
    chosen = i;
  }
  const backend = at(among, chosen);
  credits[backend.id] = most - sum;
  return backend;
};
