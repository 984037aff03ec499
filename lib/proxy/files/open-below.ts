import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises';
import { isWithin } from './static-roots.ts';

/** An open regular file. The holder closes it, or reads it to the end. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly stat: Stats;
}

/** Codes that mean that there is no such file. Sockets cannot be opened. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ENXIO', 'ENODEV', 'EINVAL']);

/**
 * Opens a file below a folder. Null when there is none, when it is not a regular file, or when a link leads outside.
 * The opened file is checked, not its path: that may change.
 * @param folder a real path
 * @throws Error when the file exists and cannot be opened
 */
export async function openBelow(folder: string, path: string): Promise<OpenFile | 'folder' | null> {
  let handle: FileHandle | null;
  try {
    // Without O_NONBLOCK, opening a FIFO would block until a writer opens it.
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

/** Closes a file that is not read. Never rejects: nothing can be lost. */
export async function close({ handle }: Pick<OpenFile, 'handle'>): Promise<void> {
  await handle.close().catch(() => {});
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

/** The real path of an open file; null when it is unknown. */
async function realPathOf(handle: FileHandle, path: string, opened: Stats): Promise<string | null> {
  try {
    return await readlink(`/proc/self/fd/${handle.fd}`);
  } catch {
    // Not Linux, or no /proc: the path must still lead to the opened file.
    const real = await realpath(path);
    const there = await stat(real);
    return there.ino === opened.ino && there.dev === opened.dev ? real : null;
  }
}
