/**
 * The leaky bucket of a rate limit, by the generic cell rate algorithm (ITU-T I.371): all that is kept of a bucket is when it
 * will be empty. Pure functions; times in ms.
 */

/** How long until one more fits; 0: it fits now. @param emptyAt when the bucket will be empty @param burst at least 1 */
export function waitMs(emptyAt: number, now: number, perSecond: number, burst: number): number {
  const mostMs = ((burst - 1) * 1000) / perSecond;
  return Math.max(0, emptyAt - now - mostMs);
}

/** When the bucket will be empty after one more was put in. */
export function filled(emptyAt: number, now: number, perSecond: number): number {
  return Math.max(emptyAt, now) + 1000 / perSecond;
}
