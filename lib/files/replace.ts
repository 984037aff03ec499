import { randomUUID } from 'node:crypto';
import { lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { folderFor } from './pinned-folder.ts';

/**
 * Puts a text in the place of a file in one step, with the same mode and owner.
 * @param path of the file itself, not of a link to it
 * @throws Error as the file system does; then the file is as it was
 */
export function replaceFile(path: string, text: string): Promise<void> {
  return writeWhole(path, text, (file) => likeThat(file, path));
}

/**
 * Puts a text where a file is, or is to be, in one step: whoever reads it finds one or the other, whole, after a power cut
 * too. For its owner alone, if `prepare` does not say otherwise.
 * @throws Error as the file system does, or UnsafePathError; then the file is as it was
 */
export async function writeWhole(
  path: string,
  text: string,
  prepare: (file: FileHandle) => Promise<void> = async () => {},
): Promise<void> {
  const folder = folderFor(path);
  try {
    // In the same folder: only there a rename is one step.
    const next = folder.at(`.${basename(path)}.${randomUUID()}`);
    const file = await open(next, 'wx', 0o600);
    try {
      try {
        await file.writeFile(text);
        await prepare(file);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(next, folder.at(basename(path)));
    } catch (error) {
      await unlink(next).catch(() => {});
      throw error;
    }
    const handle = await open(folder.at('.'), 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    folder.close();
  }
}

async function likeThat(file: FileHandle, path: string): Promise<void> {
  // Not of what a link leads to that is there by now.
  const { mode, uid, gid } = await lstat(path);
  const own = await file.stat();
  if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid);
  // After it: a change of owner takes bits away.
  await file.chmod(mode & 0o777);
}
