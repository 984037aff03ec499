// @one-lane: lines of both lanes are written in one place
import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

function targetsIn(path: string): readonly (string | undefined)[] {
  return [...readFileSync(path, 'utf8').matchAll(/"GET (\S+) /g)].map(([, target]) => target);
}

test('after SIGUSR1 all workers write to a new file, and no line is lost or doubled', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const accessLog = join(temporaryFolder(t), 'logs', 'access.log');
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes, server: { workers: 2, accessLog } });
  const { port } = router;
  const old = `${accessLog}.1`;
  const asked: string[] = [];
  const askSome = (count: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: count }, () => {
        asked.push(`/${asked.length}`);
        return ask({ port, path: asked.at(-1) ?? '/' });
      }),
    );
  await askSome(20);
  renameSync(accessLog, old);
  // Until the signal they go on in the file that was moved away.
  await askSome(20);
  router.signal('SIGUSR1');
  await eventually(async () => {
    await askSome(4);
    assert.ok(readFileSync(accessLog, 'utf8').split('\n').length > 4);
  });
  assert.equal(await router.stop(), 0);
  const before = targetsIn(old);
  assert.ok(before.length >= 20);
  const logged = [...before, ...targetsIn(accessLog)];
  assert.equal(logged.length, asked.length);
  assert.deepEqual(new Set(logged), new Set(asked));
});

test('what is in the air at a stop is in the access log, to the last line', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const accessLog = join(temporaryFolder(t), 'access.log');
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { accessLog } });
  // Long enough that a write is under way when the end comes.
  const path = `/${'x'.repeat(8_000)}`;
  for (let i = 0; i < 12; i++) await ask({ port: router.port, path });
  assert.equal(await router.stop(), 0);
  assert.equal(readFileSync(accessLog, 'utf8').split('\n').length, 13);
});
