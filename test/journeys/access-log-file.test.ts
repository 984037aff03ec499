/** The access log as a file, and its rotation: moved away, then SIGUSR1. */
// @one-lane: lines of both lanes are written in one place
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

const WORKERS = 2;

/** The whole lines of a file; none while there is no file. */
function linesIn(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'latin1').split('\n').slice(0, -1) : [];
}

test('after the file was moved away, SIGUSR1 makes a new one, and no line is lost on the way', async (t) => {
  const { url } = await startBackend(t, says('ok'));
  const folder = temporaryFolder(t);
  const path = join(folder, 'made', 'access.log');
  const moved = `${path}.1`;
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', url] },
    server: { accessLog: path, workers: WORKERS },
  });
  const asked: string[] = [];
  const askFor = async (name: string): Promise<void> => {
    asked.push(`/${name}`);
    await ask({ port: router.port, path: `/${name}` });
  };

  await askFor('before');
  await router.until('line', () => linesIn(path).length === 1);
  renameSync(path, moved);
  await askFor('between');
  router.signal('SIGUSR1');
  // Workers take the new file in their own time; until then, lines go on in the old one.
  await router.until('new file', () => existsSync(path));
  for (let i = 0; i < 200 && linesIn(path).length < WORKERS; i++) await askFor(`after/${i}`);
  await router.until('every line', () => linesIn(path).length + linesIn(moved).length === asked.length);

  const old = linesIn(moved);
  assert.match(old[0] ?? '', /"GET \/before HTTP\/1\.1" 200 2 "-" "-" "site" [0-9.]+ [0-9.]+$/);
  assert.ok(old.some((line) => line.includes('"GET /between ')));
  assert.ok(linesIn(path).every((line) => line.includes('"GET /after/')));
  const logged = [...old, ...linesIn(path)].map((line) => / (\/\S+) HTTP/.exec(line)?.[1]);
  assert.deepEqual(new Set(logged), new Set(asked));

  // What is still in a buffer when the router stops is written.
  await askFor('last');
  assert.equal(await router.stop(), 0);
  assert.ok(linesIn(path).at(-1)?.includes('"GET /last '));
  assert.deepEqual(router.lines, []);
});

test('when there is no file to be had at SIGUSR1, the log says why, and lines go on in the old one', async (t) => {
  const { url } = await startBackend(t, says('ok'));
  const path = join(temporaryFolder(t), 'access.log');
  const router = await startRouter(t, { routes: { 'site.test': ['site', url] }, server: { accessLog: path } });
  const moved = `${path}.1`;
  renameSync(path, moved);
  mkdirSync(path);
  router.signal('SIGUSR1');
  const { cause, msg } = await router.event('log-failed');
  assert.match(String(cause), /^server\.accessLog: .*: EISDIR: /);
  assert.equal(msg, `cannot reopen the access log: ${String(cause)}`);
  await ask({ port: router.port, path: '/after' });
  await router.until('line', () => linesIn(moved).some((line) => line.includes('"GET /after ')));
});
