// @one-lane: it is about files that cannot be written
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { noFullDisk } from '../support/full-disk.ts';
import { guard } from '../support/guard.ts';
import { freePort } from '../support/ports.ts';
import { temporaryFolder, writeConfig } from '../support/router.ts';

const COMMAND = fileURLToPath(new URL('../../bin/hipache.js', import.meta.url));

test('a router whose log is on a full disk starts, serves, reloads and stops', { skip: noFullDisk }, async (t) => {
  const backend = await startBackend(t, says('hello'));
  const folder = temporaryFolder(t);
  const accessLog = join(folder, 'access.log');
  // By older keys, of which a line of advice is written.
  const server = { port: await freePort(), address: ['127.0.0.1'] };
  const options = { routes: { 'site.test': ['site', backend.url] }, config: { http: undefined } };
  const path = writeConfig(folder, { ...options, server });
  const full = openSync('/dev/full', 'a');
  t.after(() => closeSync(full));
  const router = spawn(process.execPath, [COMMAND, '--config', path], { stdio: ['ignore', 'ignore', full] });
  guard(router);
  t.after(() => router.kill('SIGKILL'));
  const ended = once(router, 'exit');
  const isServed = async (): Promise<void> => assert.equal((await ask({ port: server.port })).body, 'hello');
  await eventually(isServed, 20_000);
  writeConfig(folder, { ...options, server: { ...server, accessLog } });
  router.kill('SIGHUP');
  await eventually(() => assert.ok(existsSync(accessLog)), 20_000);
  await isServed();
  router.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
