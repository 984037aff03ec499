import type { RouteList } from '../core/routing/backend.ts';
import type { SiteFields, SiteHash } from '../core/routing/site.ts';
import type { PrefixMatcher } from '../core/routing/prefixes.ts';

/** The content of a store by key, in memory. Keys are those of frontends: `www.x.com`, `*.x.com/api`. */
export interface Lists {
  get(key: string): RouteList | undefined;
  /** The prefixes of a host's key that have routes of their own. */
  prefixes(key: string): PrefixMatcher | undefined;
  /** The fields of one of the hashes that make a site. */
  site(hash: SiteHash, key: string): SiteFields | undefined;
  /** Error pages: HTML by status. */
  pages(key: string): SiteFields | undefined;
}
