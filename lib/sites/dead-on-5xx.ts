/** `deadOn5xx`: when responses from 501 on mark a backend dead. core/health/ has the rules. */
import type { DeadOn5xx } from '../core/routing/site.ts';
import { siteFeature } from './feature.ts';

/** The feature `deadOn5xx`. */
export const deadOn5xx = siteFeature<{ readonly deadOn5xx: DeadOn5xx }>({
  fields: { deadOn5xx: read },
  defaults: { deadOn5xx: 'first' },
  behaviour: (settings) => ({ ...settings, mayServeFast: () => true }),
});

function read(text: string): { readonly deadOn5xx: DeadOn5xx } | string {
  if (text === 'first' || text === 'agreed' || text === 'never') return { deadOn5xx: text };
  return 'it is "first", "agreed" or "never"';
}
