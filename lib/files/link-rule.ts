/**
 * Decides which links in a folder may be followed. The rule is that of Linux' protected_symlinks (proc(5)), applied to
 * every folder instead of world-writable ones: a link may only lead to files of the user who placed it.
 */

/** The members of `stat` that the rule uses. */
export interface Standing {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

const STICKY = 0o1000;
const GROUP_WRITE = 0o020;
const OTHER_WRITE = 0o002;

/** A user id that no user has: links of this owner are never followed. */
export const UNKNOWN_USER = -1;

/** Whether a user's links are always followed: root's, and those of the user of this process. */
function isOwn(uid: number, euid: number): boolean {
  return uid === 0 || uid === euid;
}

/** Whether users other than root and `euid` may create entries in a folder. */
export function isShared(folder: Standing, euid: number): boolean {
  if (!isOwn(folder.uid, euid)) return true;
  // Group 0 is root's group.
  return (folder.mode & OTHER_WRITE) !== 0 || ((folder.mode & GROUP_WRITE) !== 0 && folder.gid !== 0);
}

/**
 * The user to whose files a link may lead. Null when it may lead anywhere: root or `euid` made it, in a folder where
 * others cannot replace it.
 */
export function answersFor(link: Standing, folder: Standing, euid: number): number | null {
  if (!isOwn(link.uid, euid)) return link.uid;
  if (!isShared(folder, euid)) return null;
  // The owner of a folder may move others' links. In a sticky folder no other user may (unlink(2), EPERM).
  if (!isOwn(folder.uid, euid)) return folder.uid;
  return (folder.mode & STICKY) === 0 ? UNKNOWN_USER : null;
}
