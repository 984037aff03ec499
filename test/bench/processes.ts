/** Folders and processes of the benchmark, for one test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Processes } from '../../bench/processes.ts';

export function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hipache-bench-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function own(t: TestContext): Processes {
  const processes = new Processes(folderOf(t));
  t.after(() => processes.close());
  return processes;
}
