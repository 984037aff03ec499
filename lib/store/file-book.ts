import { readFile, realpath, stat } from 'node:fs/promises';
import { candidates } from '../core/hostname.ts';
import { type UrlRules, USUAL_URLS } from '../core/url-rules.ts';
import {
  type BookChange,
  type BookEntry,
  BookError,
  type BookLook,
  type BookPage,
  type CheckerSign,
  type Edit,
  type FieldChanges,
  type Held,
  type OptionsChange,
  type PageOptions,
  type RouteBook,
  SIDE_TYPES,
  type SideKind,
  type StrayPage,
} from './book.ts';
import { badCursor, checkList, decodeCursor, encodeCursor, pathOfKey, withinPage } from './book-rules.ts';
import { type HeldCertificate, NO_CERTIFICATE } from './certificates.ts';
import { certificatesFolderOf } from './certificates-folder.ts';
import { hostsIn, readHeld } from './certificates-reading.ts';
import { whileLocked } from './file-lock.ts';
import { replaceFile } from './file-replace.ts';
import { holdsHost, spellingsOf } from './key-spellings.ts';
import { changed, type Contents, type Edited, withOptions } from './file-edits.ts';
import { parseRoutes } from './routes-json.ts';
import { inWords, MAX_BYTES, signatureOf, whyUnreadable } from './routes-reading.ts';

/** Keys that a search for near ones brings at most. */
const MAX_NEAR = 100;

/** Routes in a file, as an operator edits them. Dead marks are in the memory of the router's workers, not here. */
export class FileBook implements RouteBook {
  readonly kind = 'file';
  readonly name: string;
  readonly prefix = '';
  readonly urls: UrlRules;
  readonly #path: string;
  readonly #timeoutMs: number;
  /** What was read last: pages of one file would read it again and again. */
  #last: Contents | null = null;
  /** Edits of this process, one after the other. */
  #tail: Promise<unknown> = Promise.resolve();

  /** Nothing is read before it is asked for. @param timeoutMs to wait for others who edit the file */
  constructor(path: string, timeoutMs: number, urls = USUAL_URLS) {
    this.urls = urls;
    this.name = `file:${path}`;
    this.#path = path;
    this.#timeoutMs = timeoutMs;
  }

  async look(keys: readonly string[], host: string): Promise<BookLook> {
    const { lists } = await this.#read();
    return { host, lists: keys.map((key) => heldOf(key, lists.get(key))), dead: noMarks(host) };
  }

  async page({ cursor, limit, match }: PageOptions): Promise<BookPage> {
    const { sorted, lists } = await this.#read();
    const page: BookEntry[] = [];
    for (let i = startOf(sorted, cursor); i < sorted.length; i++) {
      const key = sorted[i] ?? '';
      if (!key.includes(match)) continue;
      const last = page.at(-1);
      if (page.length === withinPage(limit) && last) return { entries: page, next: encodeCursor([last.key]) };
      page.push({ key, list: heldOf(key, lists.get(key)), dead: noMarks(key) });
    }
    return { entries: page, next: null };
  }

  async near(host: string): Promise<readonly string[]> {
    const { entries } = await this.#read();
    const asked = new Set(candidates(host));
    const guesses = new Set(spellingsOf(host));
    const found = entries.map(([key]) => key).filter((key) => guesses.has(key) || holdsHost(key, host));
    return found.filter((key) => !asked.has(key)).slice(0, MAX_NEAR);
  }

  /** There is nothing but frontends and what is said of them in a routes file; beside it are certificates. */
  async strays(): Promise<StrayPage> {
    const [certificateKeys, { hashes }] = await Promise.all([hostsIn(certificatesFolderOf(this.#path)), this.#read()]);
    const sideKeys = hashes.map(([name]) => sideOf(name));
    return { deadHosts: [], suspects: [], certificateKeys, sideKeys, next: null };
  }

  sideName(kind: SideKind, key: string): string {
    return `${kind}:${key}`;
  }

  /** Prefixes are those that have lists: there is no set of them. */
  async sides(kind: SideKind, keys: readonly string[]): Promise<readonly Held[]> {
    const { sides, prefixes } = await this.#read();
    return keys.map((key) => {
      const name = this.sideName(kind, key);
      const holds = kind === 'prefixes' ? prefixes.get(key) : sides.get(name);
      if (holds === undefined) return { key: name, type: 'none', holds: [], length: 0, secondsLeft: null };
      const length = kind === 'prefixes' ? holds.length : holds.length / 2;
      return { key: name, type: SIDE_TYPES[kind], holds, length, secondsLeft: null };
    });
  }

  async prefixesAmong(key: string, prefixes: readonly string[]): Promise<readonly string[]> {
    const { lists } = await this.#read();
    return prefixes.filter((prefix) => lists.has(key + prefix));
  }

  certificateName(key: string): string {
    return `tls/${key}.crt`;
  }

  /** A key that leads elsewhere is not made part of a path. */
  async certificate(key: string): Promise<HeldCertificate> {
    // oxlint-disable-next-line no-control-regex -- no path has it
    return /[/\0]/.test(key) ? NO_CERTIFICATE : await readHeld(certificatesFolderOf(this.#path), key);
  }

  async checker(): Promise<CheckerSign> {
    return { type: 'none', ping: null };
  }

  async replace(key: string, list: readonly string[]): Promise<BookChange> {
    checkList(list);
    return await this.change(key, () => list);
  }

  async remove(key: string): Promise<BookChange> {
    return await this.change(key, () => null);
  }

  async change(key: string, edit: Edit): Promise<BookChange> {
    return await this.#inTurn(() => this.#write((contents) => changed(contents, key, edit)));
  }

  async changeOptions(key: string, changes: FieldChanges): Promise<OptionsChange> {
    return await this.#inTurn(() => this.#write((contents) => withOptions(contents, key, changes)));
  }

  async close(): Promise<void> {
    await this.#tail;
    this.#last = null;
  }

  async #inTurn<T>(edit: () => Promise<T>): Promise<T> {
    const change = this.#tail.then(edit);
    this.#tail = change.catch(() => {});
    return await change;
  }

  /** @param edit gives what was done, and the file's new text; null where it stays as it is */
  async #write<T>(edit: (contents: Contents) => Edited<T>): Promise<T> {
    // A link stays one: its target is what changes.
    const path = await orRefused(realpath(this.#path), this.#path, whyUnreadable);
    return await orRefused(
      whileLocked(`${path}.lock`, this.#timeoutMs, async () => {
        const { done, text } = edit(await this.#read());
        if (text === null) return done;
        if (Buffer.byteLength(text) > MAX_BYTES) throw new BookError('bad-list', 'the file would become too large');
        await replaceFile(path, text);
        return done;
      }),
      path,
      whyUnwritable,
    );
  }

  async #read(): Promise<Contents> {
    const signature = await signatureOf(this.#path);
    if (this.#last?.signature === signature) return this.#last;
    const { size } = await orRefused(stat(this.#path), this.#path, whyUnreadable);
    if (size > MAX_BYTES) throw broken(this.#path, `is larger than ${MAX_BYTES / 1024 / 1024} MB`);
    const text = await orRefused(readFile(this.#path, 'utf8'), this.#path, whyUnreadable);
    const { entries, hashes, faults } = parseRoutes(text);
    if (faults.length > 0) throw broken(this.#path, inWords(faults));
    const sorted = entries.map(([key]) => key).toSorted();
    const prefixes = prefixesIn(sorted);
    this.#last = { signature, entries, hashes, lists: new Map(entries), sides: new Map(hashes), prefixes, sorted };
    return this.#last;
  }
}

function prefixesIn(keys: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const key of keys) {
    const path = pathOfKey(key);
    if (path === null) continue;
    const names = found.get(path.host) ?? [];
    names.push(path.prefix);
    found.set(path.host, names);
  }
  return found;
}

/** As the file names it. */
function sideOf(name: string): readonly [kind: SideKind, key: string] {
  const isOptions = name.startsWith('options:');
  return isOptions ? ['options', name.slice('options:'.length)] : ['errors', name.slice('errors:'.length)];
}

/** Where a page begins: behind the key that the page before ended with, whether it is still there or not. */
function startOf(sorted: readonly string[], cursor: string | null): number {
  if (cursor === null) return 0;
  const [last] = decodeCursor(cursor);
  if (typeof last !== 'string') throw badCursor();
  const place = sorted.findIndex((key) => key > last);
  return place < 0 ? sorted.length : place;
}

function heldOf(key: string, list: readonly string[] | undefined): Held {
  if (list === undefined) return { key, type: 'none', holds: [], length: 0, secondsLeft: null };
  return { key, type: 'list', holds: list, length: list.length, secondsLeft: null };
}

function noMarks(host: string): Held {
  return { key: `dead:${host}`, type: 'none', holds: [], length: 0, secondsLeft: null };
}

function broken(path: string, fault: string): BookError {
  return new BookError('broken-file', `routes file ${path}: ${fault}`);
}

/** What the file system refuses, as a BookError. @param why the end of a sentence about the file */
async function orRefused<T>(work: Promise<T>, path: string, why: (error: Error) => string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new BookError('store-refused', `routes file ${path}: ${why(error)}`, { cause: error });
  }
}

function whyUnwritable(error: Error): string {
  return `cannot be written: ${error.message}`;
}
