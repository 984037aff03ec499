/** How a limit of the whole fleet is divided among those that enforce it: in proportion to what each is asked for. Pure. */

/** What one of them was asked for lately, and when it said so, ms. */
export interface Demand {
  readonly asked: number;
  readonly at: number;
}

/** One that says nothing for so long has no share any more, ms. */
export const SILENT_MS = 1_000;

/** The share of one, from 0 to 1, and how many have one. @param own its name, which is among them */
export function shareOf(
  own: string,
  demands: ReadonlyMap<string, Demand>,
  now: number,
): { share: number; sharers: number } {
  let all = 0;
  let sharers = 0;
  for (const { asked, at } of demands.values()) {
    if (now - at > SILENT_MS) continue;
    all += asked;
    sharers++;
  }
  const asked = demands.get(own)?.asked ?? 0;
  return { share: all === 0 ? 1 : asked / all, sharers };
}

/** How much the newest turn counts in `smoothed`. */
const WEIGHT = 0.4;

/** The demand after one more turn. @param before null at the first */
export function smoothed(before: number | null, asked: number): number {
  return before === null ? asked : before + WEIGHT * (asked - before);
}
