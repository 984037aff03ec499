import { access, stat } from 'node:fs/promises';
import { codingsFor, type Coding } from '../../core/http/accept-encoding.ts';
import type { FilePath } from '../../core/http/file-path.ts';
import { close, codeOf, openBelow, type OpenFile } from './open-below.ts';

/** What there is at a path. */
export type Found =
  | FoundFile
  /** A folder, and the path has no slash at its end. */
  | { readonly type: 'folder' }
  | { readonly type: 'missing'; readonly cause?: Error };

export interface FoundFile {
  readonly type: 'file';
  readonly file: OpenFile;
  /** The plain form's, in whatever form it is. */
  readonly name: string;
  /** Null for the plain form. */
  readonly coding: Coding | null;
  /** Other clients may get it in another form. */
  readonly isVaried: boolean;
}

const INDEX = 'index.html';
const SUFFIXES: ReadonlyMap<Coding, string> = new Map([
  ['br', '.br'],
  ['gzip', '.gz'],
]);

/**
 * Opens what is asked for, in the form that the client likes best: `a.js.br` and `a.js.gz` are forms of `a.js`.
 * @param folder a real path
 * @param accepted Accept-Encoding
 * @throws Error when the folder cannot be used, or the machine is short of something
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
    // When there is no such folder, it is not the client that is wrong.
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
      // One that cannot be looked at is none.
      const found = await stat(path + suffix).catch(() => null);
      return found?.isFile() ? [coding] : [];
    }),
  );
  return codings.flat();
}

/** Null where there is none to be had: the plain form will do. */
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
