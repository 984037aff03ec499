/** Chance that comes out the same for the same seed (mulberry32): numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One of these. */
export function pick<T>(of: readonly [T, ...T[]], random: () => number): T {
  return of[Math.floor(random() * of.length)] ?? of[0];
}

/** Times the usual number: `HIPACHE_PROPERTY_RUNS=20 npm test -- property` for a long look. */
const FACTOR = Number(process.env['HIPACHE_PROPERTY_RUNS'] ?? 1);

/** How many runs a property gets, of which this many are usual. */
export function propertyRuns(usual: number): number {
  return Math.ceil(usual * FACTOR);
}
