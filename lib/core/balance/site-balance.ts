import type { SiteBalance, Trait } from '../routing/choice.ts';
import { byChance } from './draw.ts';
import type { Method } from './method.ts';

/** What the features of a site say about its balance. */
export interface BalanceRules {
  readonly method: Method;
  /** What the method does, for operators: the rest of "one of 3 living backends of 4, …". */
  readonly text: string;
  /** What the method needs to see of a request; null for nothing. */
  readonly trait: Trait | null;
}

const USUAL: BalanceRules = Object.freeze({ method: byChance, text: 'with equal probability', trait: null });

/** The balance of a site; null where the rules say nothing that differs from the default. */
export function siteBalance(rules: Partial<BalanceRules>): SiteBalance | null {
  const { method, text, trait } = { ...USUAL, ...rules };
  if (method === byChance) return null;
  return Object.freeze({
    text,
    trait,
    select: (among, list, traits, balancing) => method(among, null, list, traits, balancing),
  } satisfies SiteBalance);
}
