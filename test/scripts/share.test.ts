/** What `scripts/share.mjs` makes: manual pages and completions. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFileSync } from 'node:fs';
import { COMMAND_NAMES } from '../../lib/config/arguments.ts';
import { packageRoot } from '../../lib/config/package.ts';
import { codesOf, rowsOf } from '../support/markdown.ts';
import { missing } from '../support/tools.ts';

const share = (name: string): string => join(packageRoot, 'dist/share', name);
const PAGES = ['hipache.1', 'hipache.json.5'];

/** A page as a reader sees it, on one line, without the emphasis that terminals show. */
function shown(name: string): string {
  const { stdout } = spawnSync('mandoc', ['-T', 'utf8', '-O', 'width=500', share(name)], { encoding: 'utf8' });
  // oxlint-disable-next-line no-control-regex -- bold is a sign, a backspace and the sign again
  return stdout.replaceAll(/.\x08/gu, '').replaceAll(/\s+/g, ' ');
}

for (const name of PAGES) {
  test(`${name} has no fault that mandoc finds`, { skip: missing('mandoc') }, () => {
    const { status, stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', share(name)], { encoding: 'utf8' });
    assert.deepEqual([status, stdout], [0, '']);
  });

  test(`${name} has no fault that man finds`, { skip: missing('man') }, () => {
    // A driver URL is longer than a usual line.
    const env = { ...process.env, MANWIDTH: '120', LC_ALL: 'C.UTF-8' };
    const { status, stderr } = spawnSync('man', ['--warnings', '-l', share(name)], { env, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });
}

test(
  'hipache.json(5) has every key of docs/configuration.md, with its default and meaning',
  { skip: missing('mandoc') },
  () => {
    const page = shown('hipache.json.5');
    const rows = rowsOf(readFileSync(join(packageRoot, 'docs/configuration.md'), 'utf8'), 'key');
    assert.ok(rows.length > 50);
    for (const [keys = '', byDefault = '', meaning = ''] of rows) {
      const words = meaning
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replaceAll('`', '')
        .replaceAll('…', '...');
      const text = `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
      const start = byDefault === '–' ? '' : `Default: ${byDefault.replaceAll('`', '')}. `;
      assert.ok(page.includes(`${codesOf(keys).join(' ')} ${start}${text}`), keys);
    }
  },
);

test('hipache(1) has the help of every command', { skip: missing('mandoc') }, () => {
  const page = shown('hipache.1');
  for (const name of COMMAND_NAMES) {
    assert.ok(page.includes(`hipache ${name} hipache ${name} `), name);
  }
  for (const words of [
    '-c, --config FILE configuration file, relative to the working directory',
    'set HOST NAME URL... create it, or replace it in one step',
    '--token TOKEN its token; HIPACHE_ADMIN_TOKEN in the environment is safer, since',
    'SIGNALS Send signals to the master',
    'EXIT STATUS 0 Of the router: it stopped after a signal. Of commands: success.',
    'SETTINGS_FLAVOR With x, ',
  ]) {
    assert.ok(page.includes(words), words);
  }
});

/** The words that bash offers for a line that ends with a beginning. */
function offered(line: string): readonly string[] {
  const words = line.split(' ');
  const program = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hipache; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = spawnSync('bash', ['-c', program, 'bash', share('hipache.bash'), ...words], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean);
}

test('bash completes commands and options by the file', { skip: missing('bash') }, () => {
  assert.deepEqual(offered('hipache ro'), ['route']);
  assert.deepEqual(offered('hipache route ex'), ['explain']);
  assert.deepEqual(offered('hipache lint --dr'), ['--driver']);
});

test('zsh finds no fault in its file', { skip: missing('zsh') }, () => {
  const { status, stderr } = spawnSync('zsh', ['-n', share('_hipache')], { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(readFileSync(share('_hipache'), 'utf8'), /^#compdef hipache\n/);
});
