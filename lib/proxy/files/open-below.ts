import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises';
import { isWithin } from './static-roots.ts';

/** A regular file. Whoever has it closes it, or has it read to its end. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly stat: Stats;
}

/** There is no such file, whichever of its names is wrong; a socket is none that could be opened. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ENXIO', 'ENODEV', 'EINVAL']);

/**
 * Opens a file below a folder. Null when there is none, and for what is no regular file or, by a link, elsewhere: what
 * was opened is looked at, not what its path led to before or after.
 * @param folder a real path
 * @throws Error when it is there and cannot be opened
 */
export async function openBelow(folder: string, path: string): Promise<OpenFile | 'folder' | null> {
  let handle: FileHandle | null;
  try {
    // To open a FIFO would else last until somebody writes.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (ABSENT.has(codeOf(error))) return null;
    throw error;
  }
  try {
    const found = await handle.stat();
    if (!found.isFile() && !found.isDirectory()) return null;
    const real = await realPathOf(handle, path, found);
    if (real === null || !isWithin(folder, real)) return null;
    if (found.isDirectory()) return 'folder';
    const file = { handle, stat: found };
    handle = null;
    return file;
  } finally {
    await handle?.close();
  }
}

/** Closes a file that nobody reads. Never rejects: there is nothing to be lost. */
export async function close({ handle }: Pick<OpenFile, 'handle'>): Promise<void> {
  await handle.close().catch(() => {});
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

/** Where an open file is; null when that cannot be told. */
async function realPathOf(handle: FileHandle, path: string, opened: Stats): Promise<string | null> {
  try {
    return await readlink(`/proc/self/fd/${handle.fd}`);
  } catch {
    // No Linux, or no /proc. Then the path must still lead to what was opened.
    const real = await realpath(path);
    const there = await stat(real);
    return there.ino === opened.ino && there.dev === opened.dev ? real : null;
  }
}
