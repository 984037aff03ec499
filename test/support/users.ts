/** The user that workers become, for tests that run as root. */
import { execFileSync } from 'node:child_process';
import { noProc } from './processes.ts';

export const USER = 'www-data';

function idsOf(user: string): { uid: number; gid: number; groups: string[] } | null {
  try {
    const id = (...flags: string[]) => execFileSync('id', [...flags, user], { encoding: 'utf8', stdio: 'pipe' }).trim();
    return { uid: Number(id('-u')), gid: Number(id('-g')), groups: id('-G').split(' ') };
  } catch {
    return null;
  }
}

const ids = idsOf(USER);

/** Of `USER`; nothing of use where there is a reason to skip. */
export const { uid = -1, gid = -1, groups = [] } = ids ?? {};

/** Why tests that give up root's rights cannot run here, for `skip`; false when they can. */
export const noUsers: string | false =
  process.getuid?.() === 0 ? (ids === null ? `there is no user ${USER}` : noProc) : 'only root can give up its rights';
