/** Changes the path of a request for its backend. */
import { RouterError } from '../core/errors.ts';
import { pathOf } from '../core/routing/prefixes.ts';
import type { PathPattern } from './path-pattern.ts';

/** How a frontend's paths are rewritten. */
export interface PathRewrite {
  /** Whether the frontend's prefix is removed. */
  readonly strip: boolean;
  /** A path to put in front; without a slash at its end. */
  readonly prepend: string;
  /** Replaces both where it matches. */
  readonly pattern: PathPattern | null;
}

/** The error for a request whose path would take too long to rewrite; null for others. */
export function rewriteFault({ pattern }: PathRewrite, target: string): RouterError | null {
  if (pattern === null || !target.startsWith('/') || !pattern.isTooLong(pathOf(target))) return null;
  return new RouterError('uri-too-long', 'the path is too long for the pattern of its option rewrite');
}

/** The path for the backend, with the client's query. @param prefix of the route, or "" */
export function rewritePath({ strip, prepend, pattern }: PathRewrite, prefix: string, target: string): string {
  // `OPTIONS *` is about the server, whatever its path.
  if (!target.startsWith('/')) return target;
  const path = pathOf(target);
  const query = target.slice(path.length);
  if (pattern !== null) {
    const replaced = pattern.apply(path);
    return replaced === null ? target : withQuery(replaced, query);
  }
  const rest = strip ? path.slice(prefix.length) : path;
  return `${prepend}${rest === '' ? '/' : rest}${query}`;
}

function withQuery(path: string, query: string): string {
  return path.includes('?') && query !== '' ? `${path}&${query.slice(1)}` : path + query;
}
