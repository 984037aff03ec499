import { closeSync, constants, fchownSync, fstatSync, openSync, type Stats } from 'node:fs';
import { PinnedFolder } from './pinned-folder.ts';
import { UnsafePathError } from './unsafe-path.ts';
import { checkLinks, ownUser, walk, type Walked } from './walk.ts';

/** Whom a file is given to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
const MODE = 0o640;
/** Whoever moves the file away at the same moment does not do it again and again. */
const TRIES = 5;

/**
 * Opens a log for appending, and makes it where there is none. What is opened is a file with one name; where others may
 * write its folder, one of `owner` (of this process' user, where that is null) or of who has the folder and is not root.
 * What the path led to before or after does not count.
 * Devices, FIFOs and this process' own descriptors (`/dev/stdout`) are taken where only root, or its user, could place
 * them. Links are followed as by `readOwn`, for every user.
 * @param owner who is to have the file: it is given away by its descriptor; null to leave its owner
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

/** Two steps: O_CREAT alone would not tell which, and Linux refuses it in some folders (fs.protected_regular). */
function openOrMake(pinned: PinnedFolder, { name, links }: Walked): { fd: number; isNew: boolean } {
  // A FIFO of the operator's is waited for, as by a shell; one that others may have placed is not.
  const wait = pinned.isShared ? O_NONBLOCK : 0;
  for (let tries = 1; ; tries++) {
    try {
      return { fd: openSync(pinned.at(name), O_WRONLY | O_APPEND | O_NOFOLLOW | wait), isNew: false };
    } catch (error) {
      if (codeOf(error) === 'ELOOP') throw new UnsafePathError('is a link that was put there just now');
      if (codeOf(error) !== 'ENOENT' || tries > TRIES) throw error;
    }
    // What is not there yet is its folder's owner's to make.
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
  // Who has the folder may have a log of theirs written. One of root's could have been moved there by others.
  const isFolderOwners = found.uid === stat.uid && stat.uid !== 0;
  if (found.uid !== expected && !isFolderOwners)
    throw new UnsafePathError(`belongs to user ${found.uid} instead of ${expected}, and others may write ${folder}`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
