import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { candidates } from '../../core/routing/hostname.ts';
import { type UrlRules, USUAL_URLS } from '../../core/routing/url-rules.ts';
import { readOwn, realOwnPath } from '../../files/read.ts';
import { UnsafePathError } from '../../files/unsafe-path.ts';
import {
  type ListChange,
  type StoredFrontend,
  type StoredCandidates,
  type FrontendPage,
  type CheckerSign,
  type Edit,
  type FieldChanges,
  type StoredChecks,
  type StoredValue,
  type FieldsChange,
  type PageOptions,
  type RouteEditor,
  type FieldsHash,
  METADATA_TYPES,
  type MetadataKind,
  type UnknownKeysPage,
} from './route-editor.ts';
import { checkList } from './edit-rules.ts';
import { metadataKindOf, noMarks, prefixesIn, storedValueOf } from './file-stored-routes.ts';
import { type StoredCertificate, NO_CERTIFICATE } from '../certificates.ts';
import { certificatesFolderOf } from '../file/certificates-folder.ts';
import { hostsIn, readStored } from '../file/certificates-reading.ts';
import { whileLocked } from '../file/lock.ts';
import { replaceFile } from '../../files/replace.ts';
import { holdsHost, spellingsOf } from './key-spellings.ts';
import { changed, type Contents, type Edited, setIn, withHash, withSets } from './file-edits.ts';
import type { FrontendSet, SetChange } from './frontend-set.ts';
import type { LogPage } from './route-log.ts';
import { parseRoutes } from '../file/routes-json.ts';
import { inWords, MAX_BYTES, signatureOf, whyUnreadable } from '../file/routes-reading.ts';
import { EditorError } from '../editor-error.ts';
import type { Advice } from './advice.ts';
import { FileAdvice } from './file-advice.ts';
import { badCursor, decodeCursor, encodeCursor, withinPage } from '../cursor.ts';

/** How many near keys a search returns. */
const MAX_NEAR = 100;

/** Edits the routes of a file. Dead marks are in the workers' memory, not here. */
export class FileEditor implements RouteEditor {
  readonly isInMemory = true;
  readonly hasPrefixSets = false;
  readonly name: string;
  readonly writeName: string;
  readonly prefix = '';
  readonly urls: UrlRules;
  readonly advice: Advice;
  readonly #path: string;
  readonly #timeoutMs: number;
  readonly #isPackaged: (path: string) => boolean;
  readonly #held: (() => string) | null;
  /** The last content that was read: listing pages would read the same file again and again. */
  #last: Contents | null = null;
  /** Edits of this process run one after the other. */
  #tail: Promise<unknown> = Promise.resolve();

  /**
   * Reads nothing before the first call.
   * @param timeoutMs how long to wait for others who edit the file
   * @param isPackaged whether a file comes with the program, and must not be edited
   * @param held the text of routes that are in memory instead of the file: they can be read only, and have no certificates
   */
  constructor(
    path: string,
    timeoutMs: number,
    urls = USUAL_URLS,
    isPackaged = (_path: string): boolean => false,
    held: (() => string) | null = null,
  ) {
    this.urls = urls;
    this.advice = new FileAdvice(urls);
    this.name = `file:${path}`;
    this.writeName = path;
    this.#path = path;
    this.#timeoutMs = timeoutMs;
    this.#isPackaged = isPackaged;
    this.#held = held;
  }

  async look(keys: readonly string[], host: string): Promise<StoredCandidates> {
    const { lists } = await this.#read();
    return { host, lists: keys.map((key) => storedValueOf(key, lists.get(key))), ...noMarks(host) };
  }

  async page({ cursor, limit, match }: PageOptions): Promise<FrontendPage> {
    const { sorted, lists } = await this.#read();
    const page: StoredFrontend[] = [];
    for (let i = startOf(sorted, cursor); i < sorted.length; i++) {
      const key = sorted[i] ?? '';
      if (!key.includes(match)) continue;
      const last = page.at(-1);
      if (page.length === withinPage(limit) && last) return { entries: page, next: encodeCursor([last.key]) };
      page.push({ key, list: storedValueOf(key, lists.get(key)), ...noMarks(key) });
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

  /** A routes file has no unknown keys. */
  async unknownKeys(): Promise<UnknownKeysPage> {
    const [certificateKeys, { hashes }] = await Promise.all([hostsIn(certificatesFolderOf(this.#path)), this.#read()]);
    const metadataKeys = hashes.map(([name]) => metadataKindOf(name));
    return { deadHosts: [], suspects: [], certificateKeys, metadataKeys, next: null };
  }

  frontendName(key: string): string {
    return key;
  }

  frontendKey(name: string): string {
    return name;
  }

  metadataKey(kind: MetadataKind, key: string): string {
    return `${kind}:${key}`;
  }

  /** The prefixes are the keys with lists: a file has no set of them. */
  async sides(kind: MetadataKind, keys: readonly string[]): Promise<readonly StoredValue[]> {
    const { sides, prefixes } = await this.#read();
    return keys.map((key) => {
      const name = this.metadataKey(kind, key);
      const holds = kind === 'prefixes' ? prefixes.get(key) : sides.get(name);
      if (holds === undefined) return { key: name, type: 'none', holds: [], length: 0, secondsLeft: null };
      const length = kind === 'prefixes' ? holds.length : holds.length / 2;
      return { key: name, type: METADATA_TYPES[kind], holds, length, secondsLeft: null };
    });
  }

  async prefixesAmong(key: string, prefixes: readonly string[]): Promise<readonly string[]> {
    const { lists } = await this.#read();
    return prefixes.filter((prefix) => lists.has(key + prefix));
  }

  certificateName(key: string): string {
    return `tls/${key}.crt`;
  }

  /** A key with a path separator must not become part of a path. */
  async certificate(key: string): Promise<StoredCertificate> {
    // oxlint-disable-next-line no-control-regex -- no path has it
    return /[/\0]/.test(key) || this.#held ? NO_CERTIFICATE : await readStored(certificatesFolderOf(this.#path), key);
  }

  certificateFiles(key: string): { readonly certificate: string; readonly key: string } {
    const start = join(certificatesFolderOf(resolve(this.#path)), key);
    return { certificate: `${start}.crt`, key: `${start}.key` };
  }

  async writeCertificate(key: string): Promise<void> {
    const folder = certificatesFolderOf(this.#path);
    throw new EditorError('store-refused', `place the files ${key}.crt and ${key}.key in ${folder} yourself`);
  }

  async checker(): Promise<CheckerSign> {
    return { type: 'none', ping: null };
  }

  async checks(): Promise<StoredChecks> {
    return { results: new Map(), checked: [], down: [], downSeconds: null };
  }

  async replace(key: string, list: readonly string[]): Promise<ListChange> {
    checkList(list);
    return await this.change(key, () => list);
  }

  async remove(key: string): Promise<ListChange> {
    return await this.change(key, () => null);
  }

  async change(key: string, edit: Edit): Promise<ListChange> {
    return await this.#inTurn(() => this.#write((contents) => changed(contents, key, edit)));
  }

  async changeFields(hash: FieldsHash, key: string, changes: FieldChanges): Promise<FieldsChange> {
    return await this.#inTurn(() => this.#write((contents) => withHash(contents, `${hash}:${key}`, changes)));
  }

  async sets(keys: readonly string[]): Promise<readonly FrontendSet[]> {
    const { lists, sides } = await this.#read();
    return keys.map((key) => setIn(lists, sides, key));
  }

  /** One write of the file, however many there are. */
  async writeSets(changes: readonly SetChange[]): Promise<readonly boolean[]> {
    return await this.#inTurn(() => this.#write((contents) => withSets(contents, changes)));
  }

  async log(): Promise<LogPage> {
    throw new EditorError('no-history', 'a routes file has no log of changes: keep it in a repository');
  }

  async clearDead(): Promise<number> {
    throw new EditorError(
      'store-refused',
      'dead marks of a routes file are in the memory of workers: they end in time',
    );
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

  /** @param edit returns the result and the file's new text; null leaves the file unchanged */
  async #write<T>(edit: (contents: Contents) => Edited<T>): Promise<T> {
    if (this.#held) throw new EditorError('store-refused', `${this.name} is not a file`);
    // If the path is a link, its target is replaced, not the link.
    const path = await orRefused(async () => realOwnPath(this.#path), this.#path, whyUnreadable);
    if (this.#isPackaged(path)) throw packaged(path);
    return await orRefused(
      () =>
        whileLocked(`${path}.lock`, this.#timeoutMs, async () => {
          const { done, text } = edit(await this.#read());
          if (text === null) return done;
          if (Buffer.byteLength(text) > MAX_BYTES) throw new EditorError('bad-list', 'the file would become too large');
          await replaceFile(path, text);
          return done;
        }),
      path,
      whyUnwritable,
    );
  }

  async #read(): Promise<Contents> {
    const held = this.#held?.();
    if (held !== undefined) return this.#last?.signature === held ? this.#last : this.#keep(held, held);
    const signature = await signatureOf(this.#path);
    if (this.#last?.signature === signature) return this.#last;
    const { size } = await orRefused(() => stat(this.#path), this.#path, whyUnreadable);
    if (size > MAX_BYTES) throw broken(this.#path, `is larger than ${MAX_BYTES / 1024 / 1024} MB`);
    const text = await orRefused(async () => readOwn(this.#path, MAX_BYTES).toString(), this.#path, whyUnreadable);
    return this.#keep(signature, text);
  }

  #keep(signature: string, text: string): Contents {
    const { entries, hashes, faults } = parseRoutes(text);
    if (faults.length > 0) throw broken(this.#path, inWords(faults));
    const sorted = entries.map(([key]) => key).toSorted();
    const prefixes = prefixesIn(sorted);
    this.#last = { signature, entries, hashes, lists: new Map(entries), sides: new Map(hashes), prefixes, sorted };
    return this.#last;
  }
}

/** Where a page starts: after the key that the page before ended with, even if it was removed. */
function startOf(sorted: readonly string[], cursor: string | null): number {
  if (cursor === null) return 0;
  const [last] = decodeCursor(cursor);
  if (typeof last !== 'string') throw badCursor();
  const place = sorted.findIndex((key) => key > last);
  return place < 0 ? sorted.length : place;
}

function broken(path: string, fault: string): EditorError {
  return new EditorError('broken-file', `routes file ${path}: ${fault}`);
}

function packaged(path: string): EditorError {
  const advice = 'name a routes file of your own, or Redis, in the configuration (key "driver")';
  return new EditorError(
    'store-refused',
    `${path} is part of the package, and the next version replaces it: ${advice}`,
  );
}

/** Converts errors of the file system to EditorErrors. @param why makes the end of a sentence about the file */
async function orRefused<T>(work: () => Promise<T>, path: string, why: (error: Error) => string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnsafePathError) && !(error instanceof Error && 'syscall' in error)) throw error;
    throw new EditorError('store-refused', `routes file ${path}: ${why(error)}`, { cause: error });
  }
}

function whyUnwritable(error: Error): string {
  return `cannot be written: ${error.message}`;
}
