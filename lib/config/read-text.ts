import { readOwn } from '../files/read.ts';
import { UnsafePathError } from '../files/unsafe-path.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: a part of its path is not a folder',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  EISDIR: 'is a folder, not a file',
};

/**
 * The content of a text file, as UTF-8.
 * @throws Error whose message completes a sentence that starts with the file's name: `does not exist`
 */
export function readText(path: string): string {
  try {
    return readOwn(path).toString();
  } catch (cause) {
    if (cause instanceof UnsafePathError) throw new Error(cause.message, { cause });
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    throw new Error(REASONS[code] ?? `cannot be read (${code})`, { cause });
  }
}
