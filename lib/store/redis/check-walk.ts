import { setTimeout as delay } from 'node:timers/promises';
import type { RedisLink } from '../redis-client/link.ts';
import { literally, walk } from './walk.ts';

/** From one walk for new lists to the next, ms; longer in a Redis with many keys. */
const WALK_EVERY_MS = 3_000;
/** A walk takes no more than this share of Redis' time. */
const WALK_SHARE = 0.01;
/** A step of a walk, and the pause after it, ms. */
const STEP_MS = 20;
const PAUSE_MS = 20;
/** How many keys are found in one step. */
const BATCH = 500;

/**
 * Finds all lists with checks, by their keys `healthcheck:`, in steps that leave Redis time for others.
 * @param prefix of all keys
 * @param onKeys called with the keys of lists, without `healthcheck:`; some may come twice
 * @returns after how many ms the next walk is due
 * @throws as `RedisLink.send`; or the signal's reason, when it is aborted
 */
export async function walkForChecks(
  link: RedisLink,
  prefix: string,
  signal: AbortSignal,
  onKeys: (keys: readonly string[]) => Promise<void> | void,
): Promise<number> {
  const start = `${prefix}healthcheck:`;
  let busyMs = 0;
  let place: string | null = null;
  do {
    const begun = performance.now();
    const limits = { found: BATCH, until: begun + STEP_MS };
    const { keys, next }: Awaited<ReturnType<typeof walk>> = await walk(link, `${literally(start)}*`, place, limits);
    busyMs += performance.now() - begun;
    const found = keys.map((key) => key.slice(start.length)).filter((key) => key !== '');
    if (found.length > 0) await onKeys(found);
    place = next;
    if (place !== null) await delay(PAUSE_MS, undefined, { signal, ref: false });
  } while (place !== null);
  return Math.round(Math.max(WALK_EVERY_MS, busyMs / WALK_SHARE));
}
