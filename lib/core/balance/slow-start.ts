/** `slowStart`: a backend that is new or comes back gets few requests at first, so that its caches can fill. */
import type { Backend } from '../routing/backend-url.ts';
import type { Balancing, ChoiceList } from '../routing/choice.ts';
import type { Weights } from './method.ts';

/** The part of its weight that a backend has at first. */
const FIRST = 0.1;

/** The part of its weight that a backend has, which grows in proportion to time. @param ms since when it lives */
export function warmth(ms: number, slowStartMs: number): number {
  return ms >= slowStartMs ? 1 : FIRST + (1 - FIRST) * (Math.max(0, ms) / slowStartMs);
}

/** Computes the weights of the moment. One for each site: the result of a call is valid until the next. */
export class SlowStart {
  readonly #ms: number;
  #weights = new Float64Array(0);

  /** @param ms after which a backend has its whole weight */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** @param among the candidates @param weights theirs; the result is the same while none is starting */
  weightsOf(among: readonly Backend[], weights: Weights, list: ChoiceList, balancing: Balancing): Weights {
    const { aliveSince } = balancing;
    const now = balancing.now();
    const { backends, dead } = list;
    // No other code is called when a mark expires.
    if (dead.size > 0) for (const backend of backends) if (dead.has(backend.id)) aliveSince(backend, true, now);
    const size = (backends.at(-1)?.id ?? -1) + 1;
    if (this.#weights.length < size) this.#weights = new Float64Array(size);
    let isStarting = false;
    for (const backend of among) {
      const part = warmth(now - aliveSince(backend, false, now), this.#ms);
      if (part < 1) isStarting = true;
      this.#weights[backend.id] = part * (weights === null ? 1 : (weights[backend.id] ?? 0));
    }
    return isStarting ? this.#weights : weights;
  }
}
