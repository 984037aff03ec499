/**
 * `balance latency`: of two backends drawn by chance, the one with less latency × (requests + 1) for its weight. The
 * latency is an average that a slow response raises at once, and that fast ones and time lower slowly ("peak EWMA", as
 * in Twitter's Finagle). Time lowers it without responses, too, so a backend that was slow gets requests again.
 */
import { betterOfTwo, type Cost } from './power-of-two.ts';
import type { Method } from './method.ts';

/** After so long a latency counts for 37 % of what it was, ms. */
const DECAY_MS = 10_000;
/** Stands for the latency of a backend that has requests, but has not responded to one yet, ms. */
const UNKNOWN_MS = 60_000;

export const byLatency: Method = (among, weights, _list, _traits, balancing) =>
  betterOfTwo(among, weights, balancing, latencyCost);

const latencyCost: Cost = (backend, balancing) => {
  const { peakMs, peakAt, inFlight, waiting } = balancing.loadOf(backend);
  const requests = inFlight + waiting;
  // One request finds out about a new backend; until that has its response, others go elsewhere.
  if (peakMs === 0) return requests === 0 ? 0 : UNKNOWN_MS * requests;
  return peakMs * remaining(balancing.now() - peakAt) * (requests + 1);
};

/** The latency with peaks after another response. @param agoMs how long ago `peakMs` was computed */
export function peakAfter(peakMs: number, agoMs: number, ms: number): number {
  if (ms >= peakMs) return ms;
  return ms + (peakMs - ms) * remaining(agoMs);
}

function remaining(agoMs: number): number {
  return Math.exp(-Math.max(0, agoMs) / DECAY_MS);
}
