/** The examples in docs/library.md: each is a program, and prints what follows it. */
// @one-lane: a program runs with the default
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { fencesOf } from '../support/markdown.ts';
import { temporaryFolder } from '../support/router.ts';

const fences = fencesOf(readFileSync(join(packageRoot, 'docs/library.md'), 'utf8'));
const examples = fences.flatMap(({ language, lines }, i) =>
  language === 'js' ? [{ code: lines.join('\n'), printed: fences[i + 1] }] : [],
);

test('there are three', () => {
  assert.equal(examples.length, 3);
});

for (const [i, { code, printed }] of examples.entries()) {
  test(`example ${i + 1} runs, prints what is shown, and ends`, (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'node_modules', '@hipache'), { recursive: true });
    symlinkSync(packageRoot, join(folder, 'node_modules', '@hipache', 'router'));
    writeFileSync(join(folder, 'example.mjs'), code);
    const options = { cwd: folder, encoding: 'utf8', timeout: 60_000 } as const;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--disable-warning=DEP0060', 'example.mjs'],
      options,
    );
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.equal(printed?.language, 'text');
    assert.equal(stdout.trimEnd(), printed?.lines.join('\n'));
  });
}
