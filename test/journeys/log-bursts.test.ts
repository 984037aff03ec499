/** Much trouble at once, in the operator's log. */
// @one-lane: events of both lanes are logged in one place
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { startRouter } from '../support/router.ts';

const SITES = 200;
/** Of lines with one name in 10 seconds. */
const LINES = 100;

test('when many backends are dead at once the log says so 100 times, and how many more there are', async (t) => {
  const good = await startBackend(t, says('ok'));
  const names = Array.from({ length: SITES }, (_, i) => `s${i}.test`);
  const routes = Object.fromEntries(names.map((name) => [name, [name, refusingUrl(), refusingUrl(), good.url]]));
  const router = await startRouter(t, { routes, server: { retryOnError: 5, retryBudget: 1 } });
  await Promise.all(
    names.map(async (host) => {
      for (let i = 0; i < 5; i++) assert.equal((await ask({ port: router.port, host })).status, 200);
    }),
  );
  assert.equal(await router.stop(), 0);
  const deaths = router.log.filter(({ event }) => event === 'backend-dead').length;
  const leftOut = router.log.filter(({ event, of }) => event === 'suppressed' && of === 'backend-dead');
  const count = leftOut.reduce((sum, entry) => sum + Number(entry['count']), 0);
  assert.ok(count > 0);
  // On a machine that is slow enough there is a second window.
  assert.ok(deaths <= LINES * (leftOut.length + 1), `${deaths} lines`);
  assert.ok(deaths + count >= SITES, `${deaths} + ${count}`);
  assert.equal(router.log.at(-1)?.event, 'stopped');
});
