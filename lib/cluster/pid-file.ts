import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Says which process to signal. @throws Error with a sentence for the operator when it cannot be written */
export function writePidFile(path: string): void {
  const draft = `${path}.${process.pid}`;
  try {
    // Whoever reads it finds all of it.
    writeFileSync(draft, `${process.pid}\n`);
    renameSync(draft, path);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new Error('server.pidFile: name a file that can be written', { cause });
  }
}

/** Removes it, unless another process has written its own meanwhile. */
export function removePidFile(path: string): void {
  try {
    if (readFileSync(path, 'utf8').trim() === String(process.pid)) rmSync(path);
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
