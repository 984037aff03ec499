/** How the permits of a limit of the whole fleet are divided among those that use them. Pure; the script of store/redis does the same. */
import { SILENT_MS } from './demand.ts';

/** What one of them said last. */
export interface PermitUse {
  /** How many it would use now, were there no limit. */
  readonly wanted: number;
  /** How many it may use, or uses, whichever is more: others cannot have them. */
  readonly taken: number;
  /** When it said so, ms. */
  readonly at: number;
}

/** What one of them gets. */
export interface PermitShare {
  readonly permits: number;
  /** Its part of all that is wanted, from 0 to 1. */
  readonly share: number;
  /** More are wanted than there are. */
  readonly isScarce: boolean;
}

/** From one turn of the rounding to the next, ms. */
export const ROUND_MS = 500;
/** How far the rounding turns: no few turns of it come to a whole number. */
export const ROUND_STEP = 0.618_034;

/**
 * The permits of one; those of all come to the limit at most, whatever others want. When more are wanted than there are, each
 * gets its part of them. What is no whole number goes to each in turn, so that one permit serves many in the long run. Otherwise
 * each gets what it wants, and its part of half of the rest: the other half is for those that want more before they say so next.
 * @param own its name, which is among them
 */
export function permitsOf(own: string, limit: number, uses: ReadonlyMap<string, PermitUse>, now: number): PermitShare {
  let all = 0;
  let before = 0;
  let taken = 0;
  for (const [name, use] of uses) {
    if (now - use.at > SILENT_MS) continue;
    all += use.wanted;
    if (name < own) before += use.wanted;
    if (name !== own) taken += use.taken;
  }
  const wanted = uses.get(own)?.wanted ?? 0;
  const share = all > 0 ? wanted / all : 1;
  const isScarce = all > limit;
  const turned = (Math.floor(now / ROUND_MS) * ROUND_STEP) % 1;
  const due = isScarce
    ? Math.floor((limit * (before + wanted)) / all + turned) - Math.floor((limit * before) / all + turned)
    : Math.ceil(wanted - LITTLE) + Math.floor(((limit - all) / 2) * share);
  return { permits: Math.max(0, Math.min(due, limit - taken)), share, isScarce };
}

/** One that wants no more than this has no permit for itself. */
export const LITTLE = 0.25;
