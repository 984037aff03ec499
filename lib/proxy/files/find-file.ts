import { access, stat } from 'node:fs/promises';
import { codingsFor, type Coding } from '../../core/http/accept-encoding.ts';
import type { FilePath } from '../../core/http/file-path.ts';
import { close, codeOf, openBelow, type OpenFile } from './open-below.ts';

/** What was found at a path. */
export type Found =
  | FoundFile
  /** A folder, and the path does not end with a slash. */
  | { readonly type: 'folder' }
  | { readonly type: 'missing'; readonly cause?: Error };

export interface FoundFile {
  readonly type: 'file';
  readonly file: OpenFile;
  /** The name without the suffix of a coding. */
  readonly name: string;
  /** Null for the file without a coding. */
  readonly coding: Coding | null;
  /** Other clients may get another coding. */
  readonly isVaried: boolean;
}

const INDEX = 'index.html';
const SUFFIXES: ReadonlyMap<Coding, string> = new Map([
  ['br', '.br'],
  ['gzip', '.gz'],
]);

/**
 * Opens the requested file in the coding that the client prefers: `a.js.br` and `a.js.gz` are codings of `a.js`.
 * @param folder a real path
 * @param accepted Accept-Encoding
 * @throws Error when the folder cannot be used, or a system resource is exhausted
 */
export async function findFile(folder: string, asked: FilePath, accepted: string | undefined): Promise<Found> {
  const name = [asked.name, asked.isFolder ? INDEX : ''].filter((part) => part !== '').join('/');
  const path = `${folder}/${name}`;
  let file: OpenFile | 'folder' | null;
  try {
    file = await openBelow(folder, path);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    await access(`${folder}/.`);
    return { type: 'missing', cause: error as Error };
  }
  if (file === 'folder') return { type: asked.isFolder ? 'missing' : 'folder' };
  if (file === null) {
    // A missing root folder is an error of the configuration, not of the client.
    await access(`${folder}/.`);
    return { type: 'missing' };
  }
  return await inBestForm(folder, path, file, accepted);
}

async function inBestForm(
  folder: string,
  path: string,
  plain: OpenFile,
  accepted: string | undefined,
): Promise<FoundFile> {
  try {
    const there = await formsOf(path);
    const isVaried = there.length > 0;
    for (const coding of codingsFor(accepted, there)) {
      const file = await openForm(folder, path + SUFFIXES.get(coding));
      if (file === null) continue;
      await close(plain);
      return { type: 'file', file, name: path, coding, isVaried };
    }
    return { type: 'file', file: plain, name: path, coding: null, isVaried };
  } catch (error) {
    await close(plain);
    throw error;
  }
}

async function formsOf(path: string): Promise<readonly Coding[]> {
  const codings = await Promise.all(
    [...SUFFIXES].map(async ([coding, suffix]) => {
      // A file that cannot be examined counts as missing.
      const found = await stat(path + suffix).catch(() => null);
      return found?.isFile() ? [coding] : [];
    }),
  );
  return codings.flat();
}

/** Null when the coded file cannot be opened: the plain one is sent instead. */
async function openForm(folder: string, path: string): Promise<OpenFile | null> {
  try {
    const file = await openBelow(folder, path);
    return file === 'folder' ? null : file;
  } catch (error) {
    if (isForbidden(error)) return null;
    throw error;
  }
}

function isForbidden(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EACCES' || code === 'EPERM';
}
