import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { folderFor } from '../../files/pinned-folder.ts';
import { readOwn } from '../../files/read.ts';

/** A number and a line end; what is longer is no pid file. */
const MAX_BYTES = 64;

/** Says which process to signal. @throws Error with a sentence for the operator when it cannot be written */
export function writePidFile(path: string): void {
  try {
    const folder = folderFor(path);
    // Not to be guessed, and made here and now: in a folder of others a link could be there.
    const draft = folder.at(`.${basename(path)}.${randomUUID()}`);
    try {
      // Whoever reads it finds all of it.
      writeFileSync(draft, `${process.pid}\n`, { flag: 'wx' });
      renameSync(draft, folder.at(basename(path)));
    } catch (cause) {
      rmSync(draft, { force: true });
      throw cause;
    } finally {
      folder.close();
    }
  } catch (cause) {
    throw new Error('server.pidFile: name a file that can be written', { cause });
  }
}

/** Removes it, unless another process has written its own meanwhile. */
export function removePidFile(path: string): void {
  try {
    if (readOwn(path, MAX_BYTES).toString().trim() === String(process.pid)) rmSync(path);
  } catch {
    // It is gone, or nobody's to remove any more.
  }
}

/** Follows a configuration that names another one. @throws Error with a sentence for the operator */
export function movePidFile(from: string | null, to: string | null): void {
  if (from === to) return;
  if (to !== null) writePidFile(to);
  if (from !== null) removePidFile(from);
}
