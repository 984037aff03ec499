/** The dashboard of a whole router, on a real Redis, in a real browser. */
// @one-lane: the dashboard is served by a process of its own
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { Browser } from 'playwright-core';
import { adminOf } from '../support/admin.ts';
import { says, startBackend } from '../support/backends.ts';
import { DashboardPage, launchBrowser, noBrowser } from '../support/browser.ts';
import { ask } from '../support/client.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

/** What one is promised to wait for a death to appear, ms. */
const PROMISED_MS = 2000;

let browser: Browser | null = null;
before(async () => {
  if (noBrowser === false) browser = await launchBrowser();
});
after(() => browser?.close());

async function scene(t: TestContext, admin: object = {}) {
  const redis = await startRedis(t);
  const driver = `redis://127.0.0.1:${redis.port}`;
  const router = await startRouter(t, { config: { driver, admin: { port: 0, ...admin } } });
  const address = await adminOf(router);
  assert.ok('port' in address && browser);
  const page = await DashboardPage.open(browser, `http://127.0.0.1:${address.port}/`);
  t.after(async () => {
    await page.close();
    assert.deepEqual(page.mishaps, []);
  });
  return { redis, router, page };
}

function journey(name: string, run: (t: TestContext) => Promise<void>): void {
  void test(name, { skip: noBrowser }, run);
}

journey('the page shows a backend that dies within two seconds, and why the others are asked', async (t) => {
  const { redis, router, page } = await scene(t);
  const [good, bad] = [await startBackend(t, says('good')), await startBackend(t, says('bad'))];
  await redis.cli('rpush', 'frontend:www.a.test', '<img src=x onerror=alert(1)>', good.url, bad.url);
  await page.shows('Ready');
  await page.frontendIs('www.a.test', /good/);
  await page.page.locator('#events-state', { hasText: /^Live$/ }).waitFor();
  bad.server.close();
  bad.server.closeAllConnections();
  const dead = router.event('backend-dead');
  while (!router.log.some(({ event }) => event === 'backend-dead'))
    await ask({ port: router.port, host: 'www.a.test' });
  await dead;
  await page.frontendIs('www.a.test', /1 dead/, PROMISED_MS);
  assert.match(await page.explain('www.a.test'), /1 living backend of 2/);
  const row = page.backend(bad.url);
  await row.locator('.state-dead').waitFor();
  // What the worker knows of it, beside the mark.
  assert.match(await row.innerText(), /unreachable: connect ECONNREFUSED/);
  await page.backend(good.url).getByText('not marked dead').waitFor();
});

journey('a frontend is edited in the page, with the token alone', async (t) => {
  const { redis, router, page } = await scene(t, { token: 'secret' });
  const [one, two] = [await startBackend(t, says('one')), await startBackend(t, says('two'))];
  await redis.cli('rpush', 'frontend:www.a.test', 'site', one.url);
  await page.shows('Token needed');
  await page.giveToken('secret');
  await page.shows('Ready');
  const editor = await page.edit('www.a.test');
  await editor.getByRole('textbox', { name: 'Backend 0' }).fill(two.url);
  await editor.getByRole('button', { name: 'Save' }).click();
  await editor.waitFor({ state: 'hidden' });
  await page.explain('www.a.test');
  await page.backend(two.url).waitFor();
  assert.deepEqual(await redis.cli('lrange', 'frontend:www.a.test', 0, -1), ['site', two.url]);
  assert.equal((await ask({ port: router.port, host: 'www.a.test' })).body, 'two');
});
