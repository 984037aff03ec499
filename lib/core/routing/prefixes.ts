/**
 * Routes by path. A prefix is one or more whole segments, `/api` or `/api/v2`: it matches itself and what goes on with
 * a slash. Paths are compared as they were sent: nothing is decoded, no `..` resolved.
 */

/** Longer ones, and longer paths, are not looked at beyond these: a hostile path must not make a lookup long. */
export const MAX_PREFIX = { segments: 16, length: 512 } as const;

// Visible characters but '?' and '#', which end a path.
const PREFIX = /^(?:\/[!"$-.0->@-~]+)+$/;

/** Why no request can match this prefix; null when one can. */
export function prefixFault(prefix: string): string | null {
  if (!prefix.startsWith('/')) return 'a prefix begins with "/"';
  if (prefix === '/') return 'all paths are those of the host itself';
  if (prefix.endsWith('/')) return 'a prefix has no "/" at its end: it matches whole segments anyway';
  if (prefix.includes('//')) return 'a prefix has no empty segments';
  if (!PREFIX.test(prefix)) return 'a prefix is made of visible characters other than "?" and "#"';
  if (prefix.length > MAX_PREFIX.length) return `a prefix has ${MAX_PREFIX.length} characters at most`;
  if (segmentsOf(prefix) > MAX_PREFIX.segments) return `a prefix has ${MAX_PREFIX.segments} segments at most`;
  return null;
}

/** A frontend's key in two: no host has a slash in it. `prefix` is "" for a host's own. */
export function splitKey(key: string): { readonly host: string; readonly prefix: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { host: key, prefix: '' } : { host: key.slice(0, slash), prefix: key.slice(slash) };
}

/** The site that a frontend's key is part of: that of the host, whichever path, and of all hosts that a wildcard has. */
export function siteOf(key: string): string {
  return splitKey(key).host;
}

/** The keys of the error pages of a frontend's key, the first one that has a page counts: its own, its host's, that of all sites. */
export function pageKeys(key: string): readonly string[] {
  return [...new Set([key, siteOf(key), '*'])];
}

/** A request's path without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

/**
 * Whole segments from a path's beginning, the longest first: `/a/b/` gives `/a/b`, `/a`.
 * @param path without query
 */
export function cutsOf(path: string): readonly string[] {
  const cuts: string[] = [];
  if (!path.startsWith('/')) return cuts;
  for (let at = 0; cuts.length < MAX_PREFIX.segments && at < path.length;) {
    const slash = path.indexOf('/', at + 1);
    const end = slash < 0 ? path.length : slash;
    // An empty segment is in no prefix, so nothing longer is one.
    if (end === at + 1 || end > MAX_PREFIX.length) break;
    cuts.push(path.slice(0, end));
    at = end;
  }
  return cuts.toReversed();
}

/** Finds the prefixes of one frontend that a path has. */
export interface PrefixMatcher {
  /**
   * The longest, or null.
   * @param path may have a query
   * @param limit only those with fewer characters count: a match's length gives the next shorter one
   */
  longest(path: string, limit: number): string | null;
}

/**
 * The rule of all matchers.
 * @param most segments that any prefix has
 */
export function longestPrefix(
  path: string,
  limit: number,
  most: number,
  isPrefix: (cut: string) => boolean,
): string | null {
  let best: string | null = null;
  const { length } = pathOf(path);
  for (let at = 0, segments = 0; segments < most && at < length; segments++) {
    const slash = path.indexOf('/', at + 1);
    const end = slash < 0 || slash > length ? length : slash;
    if (end >= limit || end === at + 1) break;
    const cut = path.slice(0, end);
    if (isPrefix(cut)) best = cut;
    at = end;
  }
  return best;
}

/** Prefixes by name. Those that no request can match are left out. */
export class Prefixes implements PrefixMatcher {
  readonly #names: ReadonlySet<string>;
  readonly #segments: number;
  readonly #isPrefix = (cut: string): boolean => this.#names.has(cut);

  constructor(names: Iterable<string>) {
    this.#names = new Set([...names].filter((name) => prefixFault(name) === null));
    this.#segments = mostSegments(this.#names);
  }

  get size(): number {
    return this.#names.size;
  }

  longest(path: string, limit: number): string | null {
    return longestPrefix(path, limit, this.#segments, this.#isPrefix);
  }
}

/** How many segments the deepest of these prefixes has; 0 of none. */
export function mostSegments(prefixes: Iterable<string>): number {
  let most = 0;
  for (const prefix of prefixes) most = Math.max(most, segmentsOf(prefix));
  return most;
}

function segmentsOf(prefix: string): number {
  return prefix.split('/').length - 1;
}
