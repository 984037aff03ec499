import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { isShared } from './link-rule.ts';
import { UnsafePathError } from './unsafe-path.ts';
import { checkLinks, ownUser, walk } from './walk.ts';

/** Linux' O_PATH: opens a folder for lookups without a permission to read it. Node has no constant for it. */
export const O_PATH = 0o10000000;

/**
 * A folder that is kept open while files in it are used: names are looked up in the folder that was checked, even if
 * its path was replaced. Node has no openat(2); on Linux the path of the descriptor under /proc has the same effect.
 * Elsewhere, and without /proc, the path itself is used.
 */
export class PinnedFolder {
  readonly stat: Stats;
  /** Whether users other than root and this process' may create entries in it. */
  readonly isShared: boolean;
  readonly #path: string;
  readonly #fd: number;
  /** Whether names are looked up by its descriptor. */
  readonly isPinned: boolean;

  /**
   * @param path absolute, without links. @throws the system's error, or UnsafePathError when the path was replaced
   *   meanwhile
   */
  constructor(path: string) {
    const isLinux = process.platform === 'linux';
    this.#path = path;
    this.#fd = openSync(path, constants.O_DIRECTORY | constants.O_NOFOLLOW | (isLinux ? O_PATH : constants.O_RDONLY));
    try {
      this.isPinned = isLinux && isAt(this.#fd, path);
      this.stat = fstatSync(this.#fd);
      this.isShared = isShared(this.stat, ownUser());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The path of a name in it, valid while it is open. */
  at(name: string): string {
    return this.isPinned ? `/proc/self/fd/${this.#fd}/${name}` : join(this.#path, name);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The folder in which a file is to be put. @throws as `walk`, and UnsafePathError */
export function folderFor(path: string): PinnedFolder {
  // The last name is not followed, because the new file replaces it.
  const { folder, name, links } = walk(dirname(path));
  const pinned = new PinnedFolder(join(folder, name));
  try {
    checkLinks(links, pinned.stat);
    return pinned;
  } catch (error) {
    pinned.close();
    throw error;
  }
}

/** Whether a descriptor is the folder at a path; false without /proc. @throws UnsafePathError when it is another one */
function isAt(fd: number, path: string): boolean {
  let real: string;
  try {
    real = readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return false;
  }
  if (real !== path) throw new UnsafePathError(`is reached by ${path}, which is being moved`);
  return true;
}
