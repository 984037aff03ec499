import type { Backend } from '../routing/backend-url.ts';
import type { ChoiceList, SiteBalance, StickyRule, Trait } from '../routing/choice.ts';
import { byChance } from './draw.ts';
import type { Method, Weights } from './method.ts';
import { SlowStart } from './slow-start.ts';
import { heldBackend } from './sticky.ts';
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
  /** Null: clients are not led back. */
  readonly sticky: StickyRule | null;
  /** How long the weight of a backend that is new or comes back grows, ms; 0: it has its whole weight at once. */
  readonly slowStartMs: number;
}

const USUAL: BalanceRules = Object.freeze({
  method: byChance,
  text: 'with equal probability',
  trait: null,
  weights: new Map(),
  sticky: null,
  slowStartMs: 0,
});

/** The balance of a site; null where the rules say nothing that differs from the default. */
export function siteBalance(given: Partial<BalanceRules>): SiteBalance | null {
  const rules = { ...USUAL, ...given };
  const { method, trait, weights, sticky, slowStartMs } = rules;
  if (method === byChance && weights.size === 0 && sticky === null && slowStartMs === 0) return null;
  const warmed = slowStartMs === 0 ? rules : { ...rules, method: slowly(method, slowStartMs) };
  const choose = weights.size === 0 ? equal(warmed) : weighed(warmed);
  if (sticky === null) return Object.freeze({ ...choose, trait, sticky, held: () => null });
  return Object.freeze({ ...choose, trait, sticky, held, select: returning(choose.select) });
}

/** A choice among backends that does not depend on the client's cookies. */
type Choice = Pick<SiteBalance, 'text' | 'candidates' | 'select'>;

function equal({ method, text }: BalanceRules): Choice {
  return {
    text,
    candidates: (among) => among,
    select: (among, list, traits, balancing) => method(among, null, list, traits, balancing),
  };
}

function weighed({ method, text, weights }: BalanceRules): Choice {
  const known = new WeakMap<readonly Backend[], WeighedList>();
  const weighedOf = ({ backends }: ChoiceList): WeighedList => {
    let list = known.get(backends);
    if (list === undefined) {
      list = weigh(backends, weights);
      known.set(backends, list);
    }
    return list;
  };
  return {
    text: text === USUAL.text ? 'in proportion to their weights' : `${text}, by their weights`,
    candidates: (among, list, zone) => candidates(among, weighedOf(list), zone),
    select: (among, list, traits, balancing) => {
      const all = weighedOf(list);
      const some = candidates(among, all, balancing.zone);
      return method(some, sharesOf(some, all), list, traits, balancing);
    },
  };
}

/** The same way, with less weight for backends that have just begun to live. */
function slowly(method: Method, slowStartMs: number): Method {
  const start = new SlowStart(slowStartMs);
  return (among, weights, list, traits, balancing) => {
    // Of a sole one, too: it must be known to be warm when another is added.
    const some = start.weightsOf(among, weights, list, balancing);
    return method(among, some, list, traits, balancing);
  };
}

/** A client with a cookie gets its backend, even one that is draining. */
function returning(select: SiteBalance['select']): SiteBalance['select'] {
  return (among, list, traits, balancing) =>
    held(among, list, traits, balancing) ?? select(among, list, traits, balancing);
}

const held: SiteBalance['held'] = (among, { key }, { cookies }, { sticky }) =>
  cookies.length === 0 ? null : heldBackend(among, key, cookies, sticky);

/** Null where all of them are draining: then they are equal. */
function sharesOf([first]: readonly Backend[], { shares }: WeighedList): Weights {
  return first !== undefined && shares[first.id] === 0 ? null : shares;
}
