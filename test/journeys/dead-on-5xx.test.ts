/** `deadOn5xx`: whether a backend is dead for a response of 502, and who can bring that about. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { refusingUrl, startBackend } from '../support/backends.ts';
import { ask, type Answer } from '../support/client.ts';
import { askUntilDead, assertNobodyDied, deathsOf } from '../support/deaths.ts';
import { eventually } from '../support/eventually.ts';
import { type Router, startRouter } from '../support/router.ts';

const ONE = '127.0.0.2';
const OTHER = '127.0.0.3';

/** A site whose two backends answer 502 to `/bad`, and another one that loses a backend. */
async function start(t: TestContext, deadOn5xx: string | null): Promise<Router> {
  const backends = await Promise.all(
    [1, 2].map(() =>
      startBackend(t, (request, response) => {
        response.statusCode = request.url === '/bad' ? 502 : 200;
        response.end();
      }),
    ),
  );
  const urls = backends.map(({ url }) => url);
  const routes = {
    'site.test': ['site', ...urls],
    'gone.test': ['gone', refusingUrl(), ...urls],
    'control.test': ['control', refusingUrl(), ...urls],
    ...(deadOn5xx !== null && { 'options:site.test': { deadOn5xx }, 'options:gone.test': { deadOn5xx } }),
  };
  return await startRouter(t, { routes, server: { trustedProxies: [] } });
}

async function askAs(router: Router, localAddress: string, path: string, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) {
    const answer: Answer = await ask({ port: router.port, path, localAddress });
    assert.equal(answer.status, path === '/bad' ? 502 : 200);
  }
}

test('without the option, and with "first", one response of 502 marks its backend', async (t) => {
  for (const option of [null, 'first']) {
    const router = await start(t, option);
    await askAs(router, ONE, '/bad');
    await router.until('the death', () => deathsOf(router, 'site.test').length === 1);
  }
});

test('with "never" responses mark none, and a refused connection does', async (t) => {
  const router = await start(t, 'never');
  for (const client of [ONE, OTHER]) await askAs(router, client, '/bad', 20);
  await assertNobodyDied(router, 'site.test', 'control.test');
  await askUntilDead(router, { host: 'gone.test' });
});

test('with "agreed" one client marks none, however often it asks; a second one that fails, too, does', async (t) => {
  const router = await start(t, 'agreed');
  await askAs(router, ONE, '/bad', 30);
  await assertNobodyDied(router, 'site.test', 'control.test');
  await eventually(async () => {
    await askAs(router, OTHER, '/bad');
    assert.equal(deathsOf(router, 'site.test').length, 1);
  });
  await askUntilDead(router, { host: 'gone.test' });
});

test('with "agreed" responses that fail now and then mark none', async (t) => {
  const router = await start(t, 'agreed');
  for (let i = 0; i < 10; i++) {
    await askAs(router, i % 2 === 0 ? ONE : OTHER, '/bad');
    // About 20 to each backend.
    await askAs(router, ONE, '/good', 40);
  }
  await assertNobodyDied(router, 'site.test', 'control.test');
});
