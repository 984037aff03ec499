import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { PinnedFolder } from './pinned-folder.ts';
import { UnsafePathError } from './unsafe-path.ts';
import { checkLinks, ownUser, walk } from './walk.ts';

/**
 * Reads a file. A root process reads only what the user who placed it may read: it follows links that root placed where
 * only root can, and others to files of the user who placed them. A file with several names (hard links) must belong to
 * the owner of its folder, where others than root may write that. Other processes have their user's permissions, and
 * read what these allow.
 * @param maxBytes a larger file is not read
 * @throws the system's error, or UnsafePathError; RangeError when it is larger
 */
export function readOwn(path: string, maxBytes = Infinity): Buffer {
  const isRoot = ownUser() === 0;
  const fd = isRoot ? openOwn(path) : openSync(path, constants.O_RDONLY);
  try {
    if (fstatSync(fd).size > maxBytes) throw new RangeError(`${path} has more than ${maxBytes} bytes`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The path of the file that `readOwn` would read, without links in it. @throws as `readOwn` */
export function realOwnPath(path: string): string {
  if (ownUser() !== 0) return realpathSync(path);
  closeSync(openOwn(path));
  const { folder, name } = walk(path);
  return join(folder, name);
}

function openOwn(path: string): number {
  const { folder, name, links, isDescriptor } = walk(path);
  if (isDescriptor) return openSync(path, constants.O_RDONLY);
  const pinned = new PinnedFolder(folder);
  try {
    // Otherwise opening a FIFO would block until another process writes; for files the flag has no effect.
    const fd = openSync(pinned.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      judge(fstatSync(fd), pinned);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } finally {
    pinned.close();
  }

  function judge(found: Stats, { isShared, stat }: PinnedFolder): void {
    checkLinks(links, found);
    if (isShared && found.isFile() && found.nlink > 1 && found.uid !== stat.uid)
      throw new UnsafePathError(`has another name (hard link), and others than its owner may write ${folder}`);
  }
}
