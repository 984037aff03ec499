/** What hipache.service has systemd do at a reload, played: one command after the other, until one fails. */
// @one-lane: it is about commands and signals to the master
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../lib/config/package.ts';
import { startRouter } from '../support/router.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/hipache.js', import.meta.url));

const unit = readFileSync(join(packageRoot, 'hipache.service'), 'utf8');

function commandsOf(key: string): readonly string[] {
  return [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, command = '']) => command);
}

/** Runs the unit's reload for a router. */
function reload(config: string, pid: number | undefined): { readonly failed: string | null; readonly said: string } {
  for (const command of commandsOf('ExecReload')) {
    const [program = '', ...args] = command
      .replace('/usr/bin/env hipache', `${process.execPath} ${PROGRAM}`)
      .replace('/etc/hipache.json', config)
      .replace('$MAINPID', String(pid))
      .split(' ');
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    // All of it is written to the journal.
    if (status !== 0) return { failed: command, said: stdout + stderr };
    assert.equal(stdout + stderr, '');
  }
  return { failed: null, said: '' };
}

test('a reload with a configuration that has faults fails before the router is asked; one without is made', async (t) => {
  const router = await startRouter(t, { routes: {} });
  const path = join(router.folder, 'config.json');
  const good = readFileSync(path, 'utf8');
  writeFileSync(path, '{ "server": { "workers": "none" } }');
  const { failed, said } = reload(path, router.process.pid);
  assert.match(failed ?? '', /--dry/);
  assert.match(said, /^server\.workers: /);
  writeFileSync(path, good);
  assert.deepEqual(reload(path, router.process.pid), { failed: null, said: '' });
  await router.event('reloaded');
  assert.ok(!router.log.some(({ event }) => event === 'reload-refused'));
});

test('the check before a reload is of the configuration that the router was started with', () => {
  const [start = ''] = commandsOf('ExecStart');
  const [check = ''] = commandsOf('ExecReload');
  assert.equal(check.replace(' --dry --quiet', ''), start);
});
