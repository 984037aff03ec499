// @one-lane: checks are made beside the lanes, which see their marks as those of any worker
// @waits: for the intervals of checks, a second each
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { OFTEN, startPatient } from '../support/patients.ts';
import { startRouter } from '../support/router.ts';

const SITE = 'site.test';

test('with a routes file one worker checks, and all workers skip a backend that fails', async (t) => {
  const [good, bad] = [await startPatient(t, 'good'), await startPatient(t, 'bad')];
  bad.isIll = true;
  const list = ['site', good.url, bad.url];
  const routes = { [SITE]: list, [`healthcheck:${SITE}`]: OFTEN };
  const router = await startRouter(t, { routes, server: { workers: 2 } });
  const failed = await router.event('check-failed');
  assert.deepEqual([failed['frontend'], failed['backend'], failed['isLast']], [SITE, bad.url, false]);
  assert.equal(bad.requests, 0);
  for (let i = 0; i < 40; i++) assert.equal((await ask(router)).body, 'good');
  bad.isIll = false;
  await router.event('check-passed');
  await eventually(async () => assert.equal((await ask(router)).body, 'bad'));
  // Two lists of one worker each would have twice as many.
  const [before, from] = [good.checks, performance.now()];
  await eventually(() => assert.ok(good.checks >= before + 4));
  assert.ok(performance.now() - from > 2_500, 'checked too often');
});

test('with a routes file and `first`, a new backend gets no traffic from any worker before its first good check', async (t) => {
  const [old, young] = [await startPatient(t, 'old'), await startPatient(t, 'young')];
  young.isIll = true;
  const check = { ...OFTEN, first: 1, fall: 100 };
  const router = await startRouter(t, {
    routes: { [SITE]: ['site', old.url], [`healthcheck:${SITE}`]: check },
    server: { workers: 2 },
  });
  await eventually(() => assert.ok(old.checks >= 2));
  const from = router.log.length;
  writeFileSync(
    join(router.folder, 'routes.json'),
    JSON.stringify({ [SITE]: ['site', old.url, young.url], [`healthcheck:${SITE}`]: check }),
  );
  await router.event('routes-loaded', from);
  await eventually(() => assert.ok(young.checks >= 2));
  for (let i = 0; i < 40; i++) assert.equal((await ask(router)).body, 'old');
  // New workers have it, too.
  router.signal('SIGHUP');
  await router.event('reloaded', from);
  for (let i = 0; i < 40; i++) assert.equal((await ask(router)).body, 'old');
  assert.equal(young.requests, 0);
  young.isIll = false;
  await eventually(async () => assert.equal((await ask(router)).body, 'young'));
});

test('with a routes file the last living backend is not marked, and checks follow the file', async (t) => {
  const [one, two] = [await startPatient(t, 'one'), await startPatient(t, 'two')];
  one.isIll = true;
  const routes = { [SITE]: ['site', one.url], [`healthcheck:${SITE}`]: OFTEN };
  const router = await startRouter(t, { routes });
  assert.equal((await router.event('check-failed'))['isLast'], true);
  assert.equal((await ask(router)).body, 'one');
  const from = router.log.length;
  writeFileSync(
    join(router.folder, 'routes.json'),
    JSON.stringify({ [SITE]: ['site', two.url, one.url], [`healthcheck:${SITE}`]: OFTEN }),
  );
  // It was down already, and now has another one beside it.
  assert.equal((await router.event('check-failed', from))['backend'], one.url);
  for (let i = 0; i < 20; i++) assert.equal((await ask(router)).body, 'two');
});
