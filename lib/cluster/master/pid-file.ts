import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { folderFor } from '../../files/pinned-folder.ts';
import { readOwn } from '../../files/read.ts';

/** A pid file is a number and a line end; a longer file is not ours. */
const MAX_BYTES = 64;

/** Writes this process's id to the file. @throws Error with a sentence for the operator when it cannot be written */
export function writePidFile(path: string): void {
  try {
    const folder = folderFor(path);
    // The name cannot be guessed: in a folder that others can write, a prepared link could be there otherwise.
    const draft = folder.at(`.${basename(path)}.${randomUUID()}`);
    try {
      // A rename, so that readers never see half of it.
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

/** Removes the file, unless another process has written its own id meanwhile. */
export function removePidFile(path: string): void {
  try {
    if (readOwn(path, MAX_BYTES).toString().trim() === String(process.pid)) rmSync(path);
  } catch {
    // The file is gone, or this process may not remove it.
  }
}

/** Moves the pid file when the configuration names another one. @throws Error with a sentence for the operator */
export function movePidFile(from: string | null, to: string | null): void {
  if (from === to) return;
  if (to !== null) writePidFile(to);
  if (from !== null) removePidFile(from);
}
