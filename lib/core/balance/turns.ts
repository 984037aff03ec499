import type { ChoiceList, TurnKeeper } from '../routing/choice.ts';
import type { Backend } from '../routing/backend-url.ts';

/** How many backends one half of the memory may have in all lists: about 2 MB in both. */
const MAX_BACKENDS = 100_000;

interface Turns {
  readonly backends: readonly Backend[];
  readonly credits: Float64Array;
}

/** The turns of the lists that were used last. A list that was forgotten, or has changed, begins anew. */
export class RecentTurns implements TurnKeeper {
  readonly #max: number;
  // Two halves: when the young one is full it becomes the old one, and what is not in it any more is dropped.
  #young = new Map<string, Turns>();
  #old: ReadonlyMap<string, Turns> = new Map();
  #backends = 0;

  /** @param max backends in each of two halves */
  constructor(max = MAX_BACKENDS) {
    this.#max = max;
  }

  of({ key, backends }: ChoiceList, random: () => number): Float64Array {
    const young = this.#young.get(key);
    if (young?.backends === backends) return young.credits;
    const old = young === undefined ? this.#old.get(key) : undefined;
    const turns = old?.backends === backends ? old : { backends, credits: firstCredits(backends, random) };
    this.#young.set(key, turns);
    this.#backends += backends.length - (young?.backends.length ?? 0);
    if (this.#backends > this.#max) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#backends = 0;
    }
    return turns.credits;
  }
}

function firstCredits(backends: readonly Backend[], random: () => number): Float64Array {
  const credits = new Float64Array((backends.at(-1)?.id ?? -1) + 1);
  for (const { id } of backends) credits[id] = random();
  return credits;
}
