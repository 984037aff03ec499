import { chownSync, closeSync, constants, fstatSync, lchownSync, lstatSync, openSync, type Stats } from 'node:fs';
import { basename } from 'node:path';
import type { Owner } from './open-log.ts';
import { folderFor, O_PATH } from './pinned-folder.ts';
import { UnsafePathError } from './unsafe-path.ts';
import { ownUser } from './walk.ts';

/**
 * Gives a Unix socket that this process has bound to another user: that socket itself, even if its path was replaced.
 * @throws the system's error, or UnsafePathError
 */
export function giveSocket(path: string, owner: Owner): void {
  const folder = folderFor(path);
  try {
    const name = folder.at(basename(path));
    if (!folder.isPinned) {
      judge(lstatSync(name));
      return lchownSync(name, owner.uid, owner.gid);
    }
    // Sockets can only be opened with O_PATH, and only the path of that descriptor allows a change of owner.
    const fd = openSync(name, O_PATH | constants.O_NOFOLLOW);
    try {
      judge(fstatSync(fd));
      chownSync(`/proc/self/fd/${fd}`, owner.uid, owner.gid);
    } finally {
      closeSync(fd);
    }
  } finally {
    folder.close();
  }
}

function judge(found: Stats): void {
  if (!found.isSocket() || found.nlink !== 1 || found.uid !== ownUser())
    throw new UnsafePathError('is no longer the socket that was bound there');
}
