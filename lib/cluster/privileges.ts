import type { RunAs } from '../config/config.ts';

/** Missing in Node's types of `process`. Every system with users has it. */
interface HasGroups {
  initgroups(user: string | number, extraGroup: string | number): void;
}

/**
 * Changes to another user permanently, with only that user's supplementary groups.
 * @throws the system's error when this process may not do so
 */
export function dropPrivileges({ uid, gid, user }: RunAs): void {
  const { setgroups, setgid, setuid } = process;
  if (!setgroups || !setgid || !setuid) throw new Error('this system cannot change the user of a process');
  // A numeric user without a name has no entry in /etc/group.
  if (typeof user === 'string') (process as unknown as HasGroups).initgroups(user, gid);
  else setgroups([gid]);
  setgid(gid);
  setuid(uid);
}
