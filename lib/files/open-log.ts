import { closeSync, constants, fchownSync, fstatSync, openSync, type Stats } from 'node:fs';
import { PinnedFolder } from './pinned-folder.ts';
import { UnsafePathError } from './unsafe-path.ts';
import { checkLinks, ownUser, walk, type Walked } from './walk.ts';

/** The user and group that a file is given to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
const MODE = 0o640;
/** The file may be moved away at the same moment, but hardly so many times in a row. */
const TRIES = 5;

/**
 * Opens a log for appending, and creates it if it is missing. The opened file must have one name. Where others may
 * write its folder, the file must belong to `owner` (to this process' user, where that is null) or to the folder's
 * owner, unless that is root. Only the opened descriptor is checked, not what the path led to before. Devices, FIFOs
 * and this process' own descriptors (`/dev/stdout`) are accepted where only root, or its user, could have placed them.
 * Links are followed as by `readOwn`, for every user.
 * @param owner gets the file, by its descriptor; null leaves the owner
 * @returns the descriptor
 * @throws the system's error, or UnsafePathError
 */
export function openLog(path: string, owner: Owner | null): number {
  const walked = walk(path);
  if (walked.isDescriptor) return openSync(path, O_WRONLY | O_APPEND);
  const pinned = new PinnedFolder(walked.folder);
  try {
    const { fd, isNew } = openOrMake(pinned, walked);
    try {
      const found = fstatSync(fd);
      if (!isNew) judge(found, pinned, walked, owner);
      const mayGive = owner !== null && ownUser() === 0 && found.isFile();
      if (mayGive && (found.uid !== owner.uid || found.gid !== owner.gid)) fchownSync(fd, owner.uid, owner.gid);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } finally {
    pinned.close();
  }
}

/**
 * Two steps: O_CREAT alone would not tell whether the file was created, and Linux refuses it in some folders
 * (fs.protected_regular).
 */
function openOrMake(pinned: PinnedFolder, { name, links }: Walked): { fd: number; isNew: boolean } {
  // Opening a FIFO waits for its reader, as in a shell; but not where others may have placed it.
  const wait = pinned.isShared ? O_NONBLOCK : 0;
  for (let tries = 1; ; tries++) {
    try {
      return { fd: openSync(pinned.at(name), O_WRONLY | O_APPEND | O_NOFOLLOW | wait), isNew: false };
    } catch (error) {
      if (codeOf(error) === 'ELOOP') throw new UnsafePathError('has just been replaced with a link');
      if (codeOf(error) !== 'ENOENT' || tries > TRIES) throw error;
    }
    // A missing file may only be created where the folder's owner may create it.
    checkLinks(links, pinned.stat);
    try {
      return { fd: openSync(pinned.at(name), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CREAT | O_EXCL, MODE), isNew: true };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || tries > TRIES) throw error;
    }
  }
}

/** @throws UnsafePathError */
function judge(found: Stats, { isShared, stat }: PinnedFolder, { links, folder }: Walked, owner: Owner | null): void {
  if (found.isFile() && found.nlink !== 1)
    throw new UnsafePathError(`has ${found.nlink} names (hard links); a log has one`);
  checkLinks(links, found);
  if (!isShared) return;
  if (!found.isFile()) throw new UnsafePathError(`is no file, and others may write ${folder}`);
  const expected = owner?.uid ?? ownUser();
  // The folder's owner may have the log. A file of root's could have been moved there by others.
  const isFolderOwners = found.uid === stat.uid && stat.uid !== 0;
  if (found.uid !== expected && !isFolderOwners)
    throw new UnsafePathError(`belongs to user ${found.uid} instead of ${expected}, and others may write ${folder}`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
