/** The interface of the ways to balance. Types only. */
import type { Backend } from '../routing/backend-url.ts';
import type { Balancing, ChoiceList, RequestTraits } from '../routing/choice.ts';

/** The weights of backends by id, all above 0; null: all are equal. */
export type Weights = ArrayLike<number> | null;

/**
 * A way to choose one of several backends.
 * @param among the backends to choose from, never empty; most often all of the list that live
 */
export type Method = (
  among: readonly Backend[],
  weights: Weights,
  list: ChoiceList,
  traits: RequestTraits,
  balancing: Balancing,
) => Backend;
