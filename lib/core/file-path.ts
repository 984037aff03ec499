/** From a request's path to a file's, within a folder. Pure. */
import type { PathRewrite } from './path-rewrite.ts';
import { pathOf } from './prefixes.ts';

/**
 * What of a request's target counts in a folder: without the query, and without the route's prefix, which stands for
 * the folder; then with `prepend`. Where a pattern matches, it is what that says.
 * @param rewrite what the frontend's options say of paths, or null
 * @param prefix that of the route, or ""
 */
export function pathInFolder(rewrite: PathRewrite | null, prefix: string, target: string): string {
  const path = pathOf(target);
  const replaced = rewrite?.pattern?.apply(path) ?? null;
  if (replaced !== null) return pathOf(replaced);
  const rest = path.slice(prefix.length);
  return rewrite === null || rewrite.pattern !== null ? rest : rewrite.prepend + rest;
}

/** A path below a folder. */
export interface FilePath {
  /** Decoded, joined by slashes, without one at either end; "" for the folder itself. */
  readonly name: string;
  /** There was a slash at its end: a folder is meant. */
  readonly isFolder: boolean;
}

/**
 * The path of a file below a folder, or null where there can be none: what leads out of the folder, what is hidden, and
 * what somebody else could read in another way, such as an escaped slash. A file has one path: no segment is empty.
 * @param path without query
 */
export function filePath(path: string): FilePath | null {
  if (path === '') return { name: '', isFolder: false };
  if (!path.startsWith('/')) return null;
  const isFolder = path.endsWith('/');
  const inner = path.slice(1, isFolder ? -1 : undefined);
  if (inner === '') return path === '/' ? { name: '', isFolder } : null;
  const names: string[] = [];
  for (const segment of inner.split('/')) {
    const name = decoded(segment);
    if (name === null || !isPlain(name)) return null;
    names.push(name);
  }
  return { name: names.join('/'), isFolder };
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** Neither empty nor hidden, `.` and `..` among them, and without what is a separator to anybody. */
function isPlain(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !/[/\\\0]/.test(name);
}
