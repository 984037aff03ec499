import { randomUUID } from 'node:crypto';
import { lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { folderFor } from './pinned-folder.ts';

/**
 * Replaces the text of a file in one step, with the same mode and owner.
 * @param path the file itself, not a link to it
 * @throws the file system's error; then the file is unchanged
 */
export function replaceFile(path: string, text: string): Promise<void> {
  return writeWhole(path, text, (file) => likeThat(file, path));
}

/**
 * Writes a file in one step: readers get the old text or the new one, complete, also after a power failure. The file is
 * readable by its owner only, unless `prepare` changes that.
 * @throws the file system's error, or UnsafePathError; then the file is unchanged
 */
export async function writeWhole(
  path: string,
  text: string,
  prepare: (file: FileHandle) => Promise<void> = async () => {},
): Promise<void> {
  const folder = folderFor(path);
  try {
    // In the same folder: a rename is atomic only there.
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
  // lstat: a link that is there by now must not be followed.
  const { mode, uid, gid } = await lstat(path);
  const own = await file.stat();
  if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid);
  // After the change of owner, which clears some bits.
  await file.chmod(mode & 0o777);
}
