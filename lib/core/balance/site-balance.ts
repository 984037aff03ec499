import type { Backend } from '../routing/backend-url.ts';
import type { ChoiceList, SiteBalance, Trait } from '../routing/choice.ts';
import { byChance } from './draw.ts';
import type { Method, Weights } from './method.ts';
import { candidates, weigh, type WeighedList, type Weight } from './weights.ts';

/** A way to choose. */
export interface MethodRules {
  readonly method: Method;
  /** What the method does, for operators: the rest of "one of 3 living backends of 4, …". */
  readonly text: string;
  /** What the method needs to see of a request; null for nothing. */
  readonly trait: Trait | null;
}

/** What the features of a site say about its balance. */
export interface BalanceRules extends MethodRules {
  /** By URL, as in lists. */
  readonly weights: ReadonlyMap<string, Weight>;
}

const USUAL: BalanceRules = Object.freeze({
  method: byChance,
  text: 'with equal probability',
  trait: null,
  weights: new Map(),
});

/** The balance of a site; null where the rules say nothing that differs from the default. */
export function siteBalance(rules: Partial<BalanceRules>): SiteBalance | null {
  const { method, text, trait, weights } = { ...USUAL, ...rules };
  if (weights.size > 0) return weighed({ method, text, trait, weights });
  if (method === byChance) return null;
  return Object.freeze({
    text,
    trait,
    candidates: (among) => among,
    select: (among, list, traits, balancing) => method(among, null, list, traits, balancing),
  } satisfies SiteBalance);
}

function weighed({ method, text, trait, weights }: BalanceRules): SiteBalance {
  const known = new WeakMap<readonly Backend[], WeighedList>();
  const weighedOf = ({ backends }: ChoiceList): WeighedList => {
    let list = known.get(backends);
    if (list === undefined) {
      list = weigh(backends, weights);
      known.set(backends, list);
    }
    return list;
  };
  return Object.freeze({
    text: method === byChance ? 'in proportion to their weights' : `${text}, by their weights`,
    trait,
    candidates: (among, list) => candidates(among, weighedOf(list)),
    select: (among, list, traits, balancing) => {
      const all = weighedOf(list);
      const some = candidates(among, all);
      return method(some, sharesOf(some, all), list, traits, balancing);
    },
  } satisfies SiteBalance);
}

/** Null where all of them are draining: then they are equal. */
function sharesOf([first]: readonly Backend[], { shares }: WeighedList): Weights {
  return first !== undefined && shares[first.id] === 0 ? null : shares;
}
