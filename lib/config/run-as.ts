import type { RunAs } from './config.ts';
import type { Faults } from './faults.ts';
import type { Machine } from './machine.ts';

/** Determines the user of workers when the program starts as root. */

const DEFAULT_USER = 'www-data';

/** A line of /etc/passwd. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** A line of /etc/group. */
export interface Group {
  readonly name: string;
  readonly gid: number;
}

type Given = string | number | null | undefined;

/** Parses a text such as /etc/passwd; skips invalid lines. */
export function parsePasswd(text: string): readonly Account[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    return name !== '' && isNumber(uid) && isNumber(gid) ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

/** Parses a text such as /etc/group; skips invalid lines. */
export function parseGroups(text: string): readonly Group[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , gid = ''] = line.split(':');
    return name !== '' && isNumber(gid) ? [{ name, gid: Number(gid) }] : [];
  });
}

/**
 * The user and group of the keys `user` and `group`; null when the program is not root, or may stay root. Names must
 * exist on this machine; numbers need not.
 */
export function resolveRunAs(user: Given, group: Given, machine: Machine, faults: Faults): RunAs | null {
  if (machine.uid !== 0) return null;
  if (user === '') {
    faults.add('user', 'must not be empty when started as root; name whom to become, or "root" if that is meant');
    return null;
  }
  const chosen = asId(user ?? DEFAULT_USER);
  if (chosen === 'root' || chosen === 0) return null;
  const account = parsePasswd(machine.passwd()).find(({ name, uid }) => name === chosen || uid === chosen);
  if (!account && typeof chosen === 'string') {
    faults.add('user', `there is no user "${chosen}" on this machine; name one to become after start as root`);
    return null;
  }
  const groups = parseGroups(machine.group());
  const chosenGroup = group === '' || group === null || group === undefined ? groupOf(account, groups) : asId(group);
  if (chosenGroup === null) {
    faults.add('group', `is required, because user ${chosen} is not in /etc/passwd`);
    return null;
  }
  const gid = typeof chosenGroup === 'number' ? chosenGroup : groups.find(({ name }) => name === chosenGroup)?.gid;
  if (gid === undefined) {
    faults.add('group', `there is no group "${chosenGroup}" on this machine`);
    return null;
  }
  const uid = account?.uid ?? Number(chosen);
  return { user: account?.name ?? chosen, group: chosenGroup, uid, gid };
}

/** The group with the user's name, as in Hipache, else the user's primary group. */
function groupOf(account: Account | undefined, groups: readonly Group[]): string | number | null {
  if (!account) return null;
  const named = groups.find(({ name }) => name === account.name) ?? groups.find(({ gid }) => gid === account.gid);
  return named?.name ?? account.gid;
}

function asId(given: string | number): string | number {
  return typeof given === 'string' && isNumber(given) ? Number(given) : given;
}

function isNumber(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text);
}
