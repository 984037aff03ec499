// @one-lane: no request is served
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { haveEnded, noProc, workersOf } from '../support/processes.ts';
import { launchRouter, type RouterOptions, temporaryFolder } from '../support/router.ts';

/** Starts a router that cannot start. Resolves with its last words when it and all its workers have ended. */
async function failure(t: TestContext, options: RouterOptions): Promise<string> {
  const startedAt = performance.now();
  const router = launchRouter(t, options);
  const seen = new Set<number>();
  const look = setInterval(() => noProc || workersOf(router).forEach((pid) => seen.add(pid)), 20);
  const code = await router.exited();
  clearInterval(look);
  assert.equal(code, 1);
  assert.ok(performance.now() - startedAt < 20_000, 'it ends quickly');
  await haveEnded([...seen]);
  assert.deepEqual(router.stray, []);
  const errors = router.log.filter(({ level }) => level !== 'info');
  assert.equal(errors.length, 1, JSON.stringify(errors));
  assert.equal(errors[0]?.event, 'start-failed');
  return errors[0]?.msg ?? '';
}

test('a port that is taken ends the router with one sentence and exit code 1, and no worker stays behind', async (t) => {
  const { port } = await startBackend(t, (_request, response) => response.end());
  const words = await failure(t, { routes: {}, server: { workers: 2 }, config: { http: { port } } });
  assert.equal(
    words,
    `hipache cannot start: cannot listen on 127.0.0.1 port ${port}: another program listens there (EADDRINUSE)`,
  );
});

test('an address that this machine does not have, likewise', async (t) => {
  const words = await failure(t, { routes: {}, config: { http: { port: 0, bind: ['203.0.113.1'] } } });
  assert.match(words, /cannot listen on 203\.0\.113\.1 port 0: this machine has no such address \(EADDRNOTAVAIL\)$/);
});

test('a routes file that is missing, likewise', async (t) => {
  const words = await failure(t, { config: { driver: 'file:nowhere.json' } });
  assert.match(words, /routes file .*nowhere\.json: does not exist$/);
});

test('an access log to syslog without the program that speaks to it, likewise', async (t) => {
  const words = await failure(t, { routes: {}, server: { accessLog: 'syslog' }, env: { PATH: '/nowhere' } });
  const needed = 'server.accessLog: syslog needs the program "logger" of util-linux';
  assert.match(words, new RegExp(`^hipache cannot start: ${needed}: .*ENOENT$`));
});

test('an access log that cannot be written, likewise', async (t) => {
  const accessLog = join(temporaryFolder(t), 'file', 'access.log');
  writeFileSync(dirname(accessLog), 'a file where a folder should be');
  const words = await failure(t, { routes: {}, server: { accessLog } });
  assert.match(words, /^hipache cannot start: server\.accessLog: name a file .*, "-" for .* or "none": ENOTDIR: /);
});
