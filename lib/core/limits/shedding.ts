/** How much an overloaded worker refuses, and of which sites. Pure functions. */

/** At least a tenth is served: the lag may have another cause than requests. */
const MOST = 0.9;
/** What is refused first, and what is added while the lag stays, for each time that it is as long as the limit. */
const STEP = 0.1;
/** By how many times the limit the lag counts at most. */
const MOST_TIMES = 3;
/** What is left of the part each time that there is no lag, and what is then taken off: from the most it ends after eleven times. */
const LEFT = 0.8;
const STEP_BACK = 0.02;

/** The part of all that is asked for which is refused next, from 0 to 0.9. @param part the last one */
export function nextPart(part: number, lagMs: number, limitMs: number): number {
  if (lagMs >= limitMs) return Math.min(MOST, part + STEP * Math.min(MOST_TIMES, lagMs / limitMs));
  // Between half of the limit and the limit it is just right.
  if (lagMs > limitMs / 2) return part;
  return Math.max(0, part * LEFT - STEP_BACK);
}

/**
 * The part of its requests that each site loses, so that all together lose `part`: those with the most are cut to the same
 * height, and sites below that lose nothing. A site alone loses nothing: there is no other one to make room for.
 * @param costs what each site asks for; sites that lose nothing are not in the result
 */
export function refusedParts(costs: ReadonlyMap<string, number>, part: number): Map<string, number> {
  const refused = new Map<string, number>();
  if (costs.size < 2) return refused;
  const sites = [...costs].toSorted(([, a], [, b]) => b - a);
  const all = sites.reduce((sum, [, cost]) => sum + cost, 0);
  const height = heightOf(
    sites.map(([, cost]) => cost),
    all * part,
  );
  for (const [site, cost] of sites) {
    if (cost <= height) break;
    refused.set(site, 1 - height / cost);
  }
  return refused;
}

/** To which height the largest must be cut for `excess` to go. @param costs the largest first */
function heightOf(costs: readonly number[], excess: number): number {
  let sum = 0;
  for (const [i, cost] of costs.entries()) {
    sum += cost;
    const height = (sum - excess) / (i + 1);
    if (height >= (costs[i + 1] ?? 0)) return height;
  }
  return 0;
}
