import type { RunAs } from '../config/config.ts';

/** Missing in Node's types of `process`; there on every system that has users. */
interface HasGroups {
  initgroups(user: string | number, extraGroup: string | number): void;
}

/**
 * Becomes another user for good, with that user's supplementary groups and no other.
 * @throws the system's error when it may not
 */
export function dropPrivileges({ uid, gid, user }: RunAs): void {
  const { setgroups, setgid, setuid } = process;
  if (!setgroups || !setgid || !setuid) throw new Error('this system has no users to become');
  // An id without a name has no entry that could list groups.
  if (typeof user === 'string') (process as unknown as HasGroups).initgroups(user, gid);
  else setgroups([gid]);
  setgid(gid);
  setuid(uid);
}
