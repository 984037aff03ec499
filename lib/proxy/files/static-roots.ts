import { realpath } from 'node:fs/promises';

/** For how long the folders' real paths are cached, ms. */
const FRESH_MS = 5_000;

/** Whether a real path is a folder, or below it. */
export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** `server.staticRoots`: the folders that may be served, and what is below them. Real paths are compared. */
export class StaticRoots {
  readonly #folders: readonly string[];
  readonly #now: () => number;
  #real: readonly string[] = [];
  #readAt = -Infinity;

  /** @param now milliseconds; only differences count */
  constructor(folders: readonly string[], now: () => number) {
    this.#folders = folders;
    this.#now = now;
  }

  /** The real path of a folder that may be served. @throws Error when it may not, or cannot be resolved */
  async realPathOf(folder: string): Promise<string> {
    const real = await realpath(folder);
    const isFresh = this.#now() - this.#readAt < FRESH_MS;
    if (isFresh && this.#holds(real)) return real;
    // A link may have changed since: read again before rejecting.
    await this.#read();
    if (!this.#holds(real)) throw new Error('a folder outside of server.staticRoots');
    return real;
  }

  #holds(real: string): boolean {
    return this.#real.some((root) => isWithin(root, real));
  }

  async #read(): Promise<void> {
    const found = await Promise.allSettled(this.#folders.map((folder) => realpath(folder)));
    this.#real = found.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    this.#readAt = this.#now();
  }
}
