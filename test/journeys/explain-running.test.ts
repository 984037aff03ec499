/** `hipache route explain` beside a router that runs. */
// @one-lane: the command asks the admin interface
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { adminOf } from '../support/admin.ts';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { guard } from '../support/guard.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';

const COMMAND = fileURLToPath(new URL('../../bin/hipache.js', import.meta.url));
const NOBODY = 'http://127.0.0.1:1';

async function hipache(...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  guard(child);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { code, said: out + err };
}

/** A router with routes in a file, whose first backend it has found dead. */
async function scene(t: TestContext): Promise<{ readonly router: Router; readonly config: string }> {
  const good = await startBackend(t, says('good'));
  const router = await startRouter(t, {
    routes: { 'a.test': ['site', NOBODY, good.url] },
    config: { admin: { port: 0, token: 'secret' } },
  });
  while (!router.log.some(({ event }) => event === 'backend-dead')) await ask({ port: router.port, host: 'a.test' });
  return { router, config: join(router.folder, 'config.json') };
}

test('a router whose port nobody knows is not asked, and that is said', async (t) => {
  const { router, config } = await scene(t);
  await adminOf(router);
  const { code, said } = await hipache('route', 'explain', 'a.test', '-c', config);
  assert.equal(code, 0);
  // The store is a file, and knows of no dead.
  assert.match(said, /one of 2 living backends of 2/);
  assert.match(said, /^ {2}not asked: http:\/\/127\.0\.0\.1:0: /m);
});

test('what only the router knows is told by it: who is dead, and what its workers remember', async (t) => {
  const good = await startBackend(t, says('good'));
  const router = await startRouter(t, {
    routes: { 'a.test': ['site', NOBODY, good.url] },
    config: { admin: join(temporaryFolder(t), 'admin.sock') },
  });
  await adminOf(router);
  while (!router.log.some(({ event }) => event === 'backend-dead')) await ask({ port: router.port, host: 'a.test' });
  const config = join(router.folder, 'config.json');
  const { code, said } = await hipache('route', 'explain', 'http://a.test/path', '-c', config);
  assert.equal(code, 0);
  assert.match(said, /the one of 1 living backend of 2/);
  assert.match(said, /0 {2}http:\/\/127\.0\.0\.1:1 +dead for \d+ s more/);
  assert.match(said, /\d+ \(generation 1\) remembers a\.test, 2 backends, dead 0, read [\d.]+ s ago, and uses it/);
  assert.match(said, /1 {2}http:\/\/127\.0\.0\.1:\d+ +not marked dead/);
  assert.match(said, /^ {2}ID {2}REQ\/S {2}ERR\/S/m);
  assert.match(said, /^ {6}failed \d+ s ago \(\d{4}-\S+Z\), unreachable: connect ECONNREFUSED 127\.0\.0\.1:1$/m);
  const { said: json } = await hipache('route', 'explain', 'a.test', '--json', '-c', config);
  assert.equal((JSON.parse(json) as { readonly workers: readonly unknown[] }).workers.length, 1);
});

test('a routes file that is gone, or broken: what workers serve is told, and why the file is not', async (t) => {
  const good = await startBackend(t, says('good'));
  const router = await startRouter(t, {
    routes: { 'a.test': ['site', good.url] },
    config: { admin: join(temporaryFolder(t), 'admin.sock') },
  });
  await adminOf(router);
  const config = join(router.folder, 'config.json');
  const file = join(router.folder, 'routes.json');
  for (const [spoil, why] of [
    [() => rmSync(file), /does not exist/],
    [() => writeFileSync(file, '{'), /routes file/],
  ] as const) {
    spoil();
    const { code, said } = await hipache('route', 'explain', 'a.test', '-c', config);
    assert.equal(code, 0, said);
    assert.match(
      said,
      /^A request for a\.test\/ goes to 1 living backend of 1: 1 of 1 workers remember a\.test and use it/,
    );
    assert.match(said, why);
    assert.match(said, /^ {2}not read +a\.test +\?$/m);
    const unknown = await hipache('route', 'explain', 'b.test', '-c', config);
    assert.equal(unknown.code, 1);
    assert.match(unknown.said, /gets 400 no-frontend: the workers' routes have no such frontend/);
  }
});

test('of a backend that is not marked dead, but has just failed, that is said', async (t) => {
  const router = await startRouter(t, {
    routes: { 'a.test': ['site', NOBODY] },
    config: { admin: join(temporaryFolder(t), 'admin.sock') },
  });
  const config = join(router.folder, 'config.json');
  await adminOf(router);
  const before = await hipache('route', 'explain', 'a.test', '-c', config);
  assert.match(before.said, /goes to the one of 1 living backend of 1\.$/m);
  assert.equal((await ask({ port: router.port, host: 'a.test' })).status, 502);
  const { said } = await hipache('route', 'explain', 'a.test', '-c', config);
  assert.match(
    said,
    /goes to the one of 1 living backend of 1\. Within the last minute, 1 of these backends failed\.$/m,
  );
  assert.match(said, /not marked dead/);
});

test('--probe sends a request to each backend, also without a router', async (t) => {
  const good = await startBackend(t, says('good', 204));
  const router = await startRouter(t, { routes: { 'a.test': ['site', NOBODY, good.url, 'redirect://b.test/'] } });
  const config = join(router.folder, 'config.json');
  const { code, said } = await hipache('route', 'explain', 'a.test', '/x', '--probe', '-c', config);
  assert.equal(code, 0, said);
  assert.match(said, /^ {2}0 {2}http:\/\/127\.0\.0\.1:1 +connect ECONNREFUSED 127\.0\.0\.1:1$/m);
  assert.match(
    said,
    /^ {2}1 {2}http:\/\/127\.0\.0\.1:\d+ +connected after [\d.]+ ms, responded with status 204 after [\d.]+ ms$/m,
  );
  const { said: json } = await hipache('route', 'explain', 'a.test', '--probe', '--json', '-c', config);
  const { probes } = JSON.parse(json) as { readonly probes: readonly { readonly id: number }[] };
  assert.deepEqual(
    probes.map(({ id }) => id),
    [0, 1],
  );
  const elsewhere = await hipache('route', 'show', 'a.test', '--probe', '-c', config);
  assert.equal(elsewhere.code, 2);
  assert.match(elsewhere.said, /option "--probe" is for "route explain"/);
});
