// @one-lane: both lanes ask the same store
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { Load } from '../support/load.ts';
import { noProc, workersOf } from '../support/processes.ts';
import { startRouter } from '../support/router.ts';
import { manyRoutes } from '../support/routes.ts';

/** Some twenty messages to each worker. */
const FRONTENDS = 40_000;
/** A few readings of so many frontends on a slow and busy machine, ms. */
const PATIENCE_MS = 60_000;

test('with 40,000 frontends edits are served and nobody is refused; a successor and a new generation know all', async (t) => {
  const [one, two] = [await startBackend(t, says('one')), await startBackend(t, says('two'))];
  const many = Object.fromEntries(manyRoutes(FRONTENDS));
  const site = (url: string, last = one.url) => ({
    'site.test': ['site', url],
    [`site-${FRONTENDS - 1}.test`]: ['the last', last],
  });
  const router = await startRouter(t, { routes: { ...many, ...site(one.url) }, server: { workers: 2 } });
  const edit = (routes: Readonly<Record<string, readonly string[]>>): void =>
    writeFileSync(join(router.folder, 'routes.json'), JSON.stringify({ ...many, ...routes }));
  const { port } = router;
  const last = `site-${FRONTENDS - 1}.test`;
  // Two workers take turns: so many answers in a row are from both.
  const isServed = (body: string, host?: string) =>
    eventually(async () => {
      for (let i = 0; i < 4; i++) assert.equal((await ask({ port, ...(host && { host }) })).body, body);
    }, PATIENCE_MS);
  await isServed('one', last);
  const load = new Load(t, port, { clients: 2 });
  t.after(() => load.stop());

  // In quick succession: the last one holds.
  edit(site(one.url, two.url));
  edit(site(two.url));
  await isServed('two');
  await isServed('one', last);
  await load.answers(10);
  assert.deepEqual(await load.stop(), []);

  if (!noProc) {
    const [victim = 0] = workersOf(router);
    const before = router.log.length;
    process.kill(victim, 'SIGKILL');
    await router.event('worker-died', before);
    await eventually(() => assert.equal(workersOf(router).length, 2));
    edit(site(one.url));
    await isServed('one');
    await isServed('one', last);
  }
  router.signal('SIGHUP');
  await router.event('reloaded');
  await isServed('one', last);
});
