import { lstatSync, readlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { answersFor, UNKNOWN_USER } from './link-rule.ts';
import { UnsafePathError } from './unsafe-path.ts';

/** The kernel's limit (path_resolution(7)). */
const MAX_LINKS = 40;

/** Where a path leads. */
export interface Walked {
  /** Absolute, without links in it. */
  readonly folder: string;
  readonly name: string;
  /** A link on the path, and the user to whose files it may lead. */
  readonly links: readonly AnsweredLink[];
  /** Whether it is a descriptor of this process (`/dev/stdout`), which has no other name. */
  readonly isDescriptor: boolean;
}

/** A link on a path, and the user to whose files it may lead. */
export interface AnsweredLink {
  readonly path: string;
  readonly uid: number;
}

/** The user of this process for file accesses; -1 on systems without users. */
export function ownUser(): number {
  return process.geteuid?.() ?? UNKNOWN_USER;
}

/**
 * Resolves the links of a path one by one, and records who placed each. The last name need not exist.
 * @throws the system's error, and UnsafePathError for a link that any member of a group may have placed
 */
export function walk(path: string): Walked {
  const euid = ownUser();
  const links: AnsweredLink[] = [];
  const pending = namesIn(resolve(path));
  let folder = '/';
  let seen = 0;
  for (;;) {
    const name = pending.pop();
    // The path is "/", or ends in "..".
    if (name === undefined)
      return { folder: dirname(folder), name: basename(folder) || '.', links, isDescriptor: false };
    if (name === '..') {
      folder = dirname(folder);
      continue;
    }
    const full = join(folder, name);
    const isLast = pending.length === 0;
    if (isLast && dirname(full) === `/proc/${process.pid}/fd`) return { folder, name, links, isDescriptor: true };
    const entry = lstatSync(full, { throwIfNoEntry: !isLast });
    if (!entry?.isSymbolicLink()) {
      if (isLast) return { folder, name, links, isDescriptor: false };
      folder = full;
      continue;
    }
    if (++seen > MAX_LINKS) throw new UnsafePathError('is a link with too many links behind it');
    const uid = answersFor(entry, lstatSync(folder), euid);
    if (uid === UNKNOWN_USER)
      throw new UnsafePathError(`is reached by the link ${full}, and others may write ${folder}`);
    if (uid !== null) links.push({ path: full, uid });
    const target = readlinkSync(full);
    if (target.startsWith('/')) folder = '/';
    pending.push(...namesIn(target));
  }
}

/** The last name first. */
function namesIn(path: string): string[] {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .toReversed();
}

/** @throws UnsafePathError when a link leads to another user's file */
export function checkLinks(links: readonly AnsweredLink[], found: { readonly uid: number }): void {
  for (const { path, uid } of links) {
    if (uid === found.uid) continue;
    throw new UnsafePathError(
      `is reached by the link ${path}, which user ${uid} may have placed and which leads to another's file`,
    );
  }
}
