/** The operator's log as text. */
// @one-lane: all processes write one log
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { launchRouter } from '../support/router.ts';

test('with server.log "text" all processes write lines for people, and none of JSON', async (t) => {
  const good = await startBackend(t, says('ok'));
  const routes = { 'site.test': ['site', good.url, refusingUrl()] };
  const router = launchRouter(t, { routes, server: { log: 'text' } });
  const lineLike = (pattern: RegExp): Promise<string> =>
    router.until(`line like ${pattern}`, () => router.stray.find((line) => pattern.test(line)));
  const ready = await lineLike(/ready on/);
  assert.match(
    ready,
    /^\d\d:\d\d:\d\d\.\d{3} info {2}hipache \S+ is ready on http:\S+ \(1 worker\) {2}event=ready pid=\d+$/,
  );
  const port = Number(/:(\d+) \(/.exec(ready)?.[1]);
  for (let i = 0; i < 100 && !router.stray.some((line) => line.includes('is dead')); i++) await ask({ port });
  assert.match(
    await lineLike(/is dead/),
    /^\S+ warn {2}site\.test: \S+ is dead: connect ECONNREFUSED \S+ {2}event=backend-dead id=1 ttlSeconds=30 pid=\d+$/,
  );
  assert.equal(await router.stop(), 0);
  assert.match(router.stray.at(-1) ?? '', /^\S+ info {2}hipache has stopped {2}event=stopped pid=\d+$/);
  assert.deepEqual(router.log, []);
});
