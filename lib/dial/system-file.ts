import { readFile, stat } from 'node:fs/promises';

/** How long a file is taken for unchanged without a look, ms. */
const LOOK_MS = 5_000;

/** What a file of the system says, read again when it has changed. */
export class SystemFile<T> {
  readonly #path: string;
  readonly #parse: (text: string) => T;
  readonly #now: () => number;
  #value: T;
  #version = '';
  #lookedAt = -Infinity;

  /** @param parse never throws; a file that cannot be read is an empty one */
  constructor(path: string, parse: (text: string) => T, now: () => number) {
    this.#path = path;
    this.#parse = parse;
    this.#now = now;
    this.#value = parse('');
  }

  /** Never rejects. */
  async read(): Promise<T> {
    const now = this.#now();
    if (now - this.#lookedAt < LOOK_MS) return this.#value;
    const version = await versionOf(this.#path);
    if (version !== this.#version) {
      this.#value = this.#parse(await textOf(this.#path));
      this.#version = version;
    }
    this.#lookedAt = now;
    return this.#value;
  }
}

async function versionOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return '';
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
