/** From a request's path to a file's, within a folder. Pure. */
import { inAscii } from '../routing/path-escape.ts';

/** A path below a folder. */
export interface FilePath {
  /** Decoded, joined by slashes, without one at either end; "" for the folder itself. */
  readonly name: string;
  /** The path ended with a slash: a folder is requested. */
  readonly isFolder: boolean;
}

/**
 * The path of a file below a folder, or null if it leaves the folder, is hidden, or is ambiguous, such as with an
 * escaped slash. Each file has only one path: no segment is empty.
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
    return decodeURIComponent(inAscii(segment));
  } catch {
    return null;
  }
}

/** Not empty, not hidden (including `.` and `..`), and without separators of any system. */
function isPlain(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !/[/\\\0]/.test(name);
}
