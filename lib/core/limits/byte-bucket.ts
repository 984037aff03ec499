/**
 * A rate in bytes per second, as a bucket that fills while nothing passes. All that is kept of it is until when the bytes that
 * have passed are paid for. Pure functions; times in ms.
 */

/** What is saved while nothing passes. A timer that is late by less costs nothing of the rate. */
const SAVED_MS = 250;
/** What a new bucket has, so that a small body passes at once. */
const FIRST_MS = 100;

/** `paidUntil` of a bucket that is new. */
export function firstPaid(now: number): number {
  return now - FIRST_MS;
}

/** How many bytes may pass now: whole ones. */
export function mayPass(paidUntil: number, now: number, perSecond: number): number {
  return Math.max(0, Math.floor((Math.min(now - paidUntil, SAVED_MS) * perSecond) / 1000));
}

/** `paidUntil` after so many bytes have passed. */
export function paidAfter(paidUntil: number, now: number, bytes: number, perSecond: number): number {
  return Math.max(paidUntil, now - SAVED_MS) + (bytes * 1000) / perSecond;
}
