import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { isShared } from './link-rule.ts';
import { UnsafePathError } from './unsafe-path.ts';
import { checkLinks, ownUser, walk } from './walk.ts';

/** Linux' O_PATH: enough to name what is in a folder, and no right to read it is needed. Node has no name for it. */
export const O_PATH = 0o10000000;

/**
 * A folder that is held open while files in it are: whatever its path leads to meanwhile, names are looked up in the
 * folder that was judged. Node has no openat(2); on Linux a descriptor's path under /proc does the same. Elsewhere, and
 * without /proc, it is the path that counts.
 */
export class PinnedFolder {
  readonly stat: Stats;
  /** Whether users other than root and this process' may make entries in it. */
  readonly isShared: boolean;
  readonly #path: string;
  readonly #fd: number;
  /** Whether names are looked up by its descriptor. */
  readonly isPinned: boolean;

  /** @param path absolute, without links. @throws the system's error, or UnsafePathError when it is another by now */
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

  /** The path of a name in it, for as long as it is open. */
  at(name: string): string {
    return this.isPinned ? `/proc/self/fd/${this.#fd}/${name}` : join(this.#path, name);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The folder of a file that is to be put there. @throws as `walk`, and UnsafePathError */
export function folderFor(path: string): PinnedFolder {
  // The last name is not followed: what is put there takes its place.
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

/** False where there is no /proc. @throws UnsafePathError when the folder is not where it was found */
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
