/**
 * Which names in a folder may have been placed by somebody else. The rule is the one of Linux' protected_symlinks
 * (proc(5)), for every folder instead of the world-writable ones: a link leads only as far as the user who placed it.
 */

/** What `stat` says of a file, a link or a folder. */
export interface Standing {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

const STICKY = 0o1000;
const GROUP_WRITE = 0o020;
const OTHER_WRITE = 0o002;

/** No user has it: what it is responsible for is never followed. */
export const UNKNOWN_USER = -1;

/** Whether a user is one whose links are always followed: root, or the one this process is. */
function isOwn(uid: number, euid: number): boolean {
  return uid === 0 || uid === euid;
}

/** Whether users other than root and `euid` may make entries in a folder. */
export function isShared(folder: Standing, euid: number): boolean {
  if (!isOwn(folder.uid, euid)) return true;
  // Group 0 is root's own.
  return (folder.mode & OTHER_WRITE) !== 0 || ((folder.mode & GROUP_WRITE) !== 0 && folder.gid !== 0);
}

/**
 * The user who answers for where a link leads: it may lead to that user's files only. Null when it may lead anywhere:
 * root or `euid` made it, in a folder where others cannot put another one in its place.
 */
export function answersFor(link: Standing, folder: Standing, euid: number): number | null {
  if (!isOwn(link.uid, euid)) return link.uid;
  if (!isShared(folder, euid)) return null;
  // The owner of a folder may move links of others; in a sticky folder nobody else may (unlink(2), EPERM).
  if (!isOwn(folder.uid, euid)) return folder.uid;
  return (folder.mode & STICKY) === 0 ? UNKNOWN_USER : null;
}
