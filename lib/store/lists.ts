import type { RouteList } from '../core/routing/backend.ts';
import type { SiteFields } from '../core/routing/site.ts';
import type { PrefixMatcher } from '../core/routing/prefixes.ts';

/** What stands under each key, in memory. Keys are those of frontends: `www.x.com`, `*.x.com/api`. */
export interface Lists {
  get(key: string): RouteList | undefined;
  /** The prefixes that a host's key has routes of their own for. */
  prefixes(key: string): PrefixMatcher | undefined;
  options(key: string): SiteFields | undefined;
  /** Error pages: a status, and HTML. */
  pages(key: string): SiteFields | undefined;
}
