/** The dashboard in a browser, beside an admin interface that does what a test tells it to. */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { DashboardPage, launchBrowser, noBrowser } from '../support/browser.ts';
import { deferred } from '../support/deferred.ts';
import { eventually } from '../support/eventually.ts';
import { startRealistic } from './realistic.ts';
import { StubAdmin } from './stub-admin.ts';

/** What one is promised to wait for a death to appear, and what a busy machine adds to it, ms: less than between two polls. */
const PROMISED_MS = 2000 + 1500;
const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

let browser: Browser | null = null;
before(async () => {
  if (noBrowser === false) browser = await launchBrowser();
});
after(() => browser?.close());

/** The dashboard of a stub, when it has found that. After the test nothing may have gone wrong in it. */
async function open(
  t: TestContext,
  stub: StubAdmin,
  options: BrowserContextOptions = {},
  state: Parameters<DashboardPage['shows']>[0] = 'Ready',
): Promise<DashboardPage> {
  assert.ok(browser);
  const dashboard = await DashboardPage.open(browser, stub.url, options);
  t.after(async () => {
    await dashboard.close();
    await stub.goAway();
    assert.deepEqual(dashboard.mishaps, []);
  });
  await dashboard.shows(state);
  return dashboard;
}

async function startSmall(): Promise<StubAdmin> {
  const stub = await StubAdmin.start();
  stub.set('www.example.com', 'mywebsite', ['http://10.0.0.1:80', 'http://10.0.0.2:80']);
  return stub;
}

function journey(name: string, run: (t: TestContext) => Promise<void>): void {
  void test(name, { skip: noBrowser }, run);
}

journey('a worker that has told nothing of itself has dashes for figures, and the page goes on', async (t) => {
  const stub = await startSmall();
  stub.isReloading = true;
  const dashboard = await open(t, stub);
  const row = dashboard.page.locator('#workers-list tbody tr', { hasText: 'starting' });
  await row.waitFor();
  assert.match(await row.innerText(), /–/);
  await dashboard.page.locator('#workers-list tbody tr', { hasText: '4711' }).waitFor();
});

journey(
  'the fleet is shown when there are several routers, with those that are silent or have another time',
  async (t) => {
    const stub = await startSmall();
    const dashboard = await open(t, stub);
    const fleet = dashboard.page.locator('#fleet');
    await dashboard.page.locator('#workers-list tbody tr', { hasText: '4711' }).waitFor();
    assert.equal(await fleet.isVisible(), false);
    const one = {
      id: 'a1',
      host: 'edge-1',
      version: '1.2.3',
      pid: 4710,
      since: new Date(Date.now() - 3_600_000).toISOString(),
      workers: 4,
      draining: 0,
      silent: 0,
      heartbeatAgo: 0.6,
      requestsPerSecond: 812.4,
      connections: 320,
      exchanges: 12,
      queued: 0,
      permits: 40,
      permitsInUse: 12,
      sharedRates: 0,
      loopLag: 0.001,
      clockSkew: -0.003,
    };
    stub.routers = [one, { ...one, id: 'b2', host: 'edge-2', pid: 4688, silent: 1, clockSkew: 2.5 }];
    const row = fleet.locator('tbody tr', { hasText: 'edge-2 4688' });
    await row.waitFor();
    assert.match(await row.innerText(), /4, 1 silent.*2500 ms/s);
    assert.match(await fleet.innerText(), /2 routers, 8 workers/);
    stub.routers = [one];
    await fleet.waitFor({ state: 'hidden' });
  },
);

journey('a backend that dies is shown so within two seconds, and so is one that lives again', async (t) => {
  const stub = await startSmall();
  const dashboard = await open(t, stub);
  await dashboard.frontendIs('www.example.com', /good/);
  await dashboard.page.locator('#events-state', { hasText: /^Live$/ }).waitFor();
  await dashboard.page.locator('#problems-list', { hasText: 'None found.' }).waitFor();

  await dashboard.page.getByRole('button', { name: 'Edit www.example.com' }).focus();
  stub.kill('www.example.com', 1, 30);
  await dashboard.frontendIs('www.example.com', /degraded.*2, 1 dead/s, PROMISED_MS);
  await dashboard.page.locator('#announcer', { hasText: 'http://10.0.0.2:80 is dead' }).waitFor({ state: 'attached' });
  const focused = await dashboard.evaluate('document.activeElement.textContent');
  assert.equal(focused, 'Edit', 'who is about to press a button still is');

  await dashboard.explain('www.example.com');
  const mark = dashboard.backend('http://10.0.0.2:80').locator('.mark');
  assert.match(await mark.innerText(), /^dead, (?:30|2\d) s left$/);
  assert.equal(await dashboard.backend('http://10.0.0.1:80').locator('.mark').innerText(), 'not marked dead');
  const first = Number(/\d+/.exec(await mark.innerText())?.[0]);
  await eventually(async () => assert.ok(Number(/\d+/.exec(await mark.innerText())?.[0]) < first, 'it counts down'));
  await dashboard.page.keyboard.press('Escape');

  stub.kill('www.example.com', 0, 30);
  const problem = dashboard.page.locator('#problems-list li');
  await problem
    .filter({ hasText: 'www.example.com 2 of 2 backends are marked dead' })
    .waitFor({ timeout: PROMISED_MS });
  stub.revive('www.example.com', 0);
  stub.revive('www.example.com', 1);
  await dashboard.frontendIs('www.example.com', /good/, PROMISED_MS);
  await problem.waitFor({ state: 'detached' });
});

journey('a router that serves by what it knows is shown as degraded, with why', async (t) => {
  const stub = await StubAdmin.start();
  const reason = 'the store does not reply to 2 of 2 workers';
  stub.ready = { isReady: true, isDegraded: true, reasons: [reason] };
  const { page } = await open(t, stub, {}, 'Degraded');
  assert.equal(await page.locator('#readiness').innerText(), 'Degraded');
  assert.ok((await page.locator('#state').innerText()).includes(reason));
  assert.equal(await page.locator('#refused').count(), 0);
});

journey('while the store cannot be read, that is a problem, and what was read before stays', async (t) => {
  const stub = await startSmall();
  const dashboard = await open(t, stub);
  const { page } = dashboard;
  await dashboard.frontendIs('www.example.com', /good/);
  stub.isRead = false;
  stub.store = { ...stub.store, isUp: false };
  await page.locator('#problems-list li', { hasText: 'redis://127.0.0.1:6379 does not reply' }).first().waitFor();
  await page.locator('#frontends-fault', { hasText: 'cannot be read' }).waitFor();
  await dashboard.frontendIs('www.example.com', /good/);
  await page.reload();
  await page.locator('#frontends-list', { hasText: 'Not known yet.' }).waitFor();
});

journey('a reload that was refused is shown, with why', async (t) => {
  const stub = await StubAdmin.start();
  const text = 'reload refused: server.workers: must be a whole number of at least 1';
  stub.refused = [text];
  const { page } = await open(t, stub);
  assert.equal(await page.locator('#refused').innerText(), 'Refused');
  assert.ok((await page.locator('#state').innerText()).includes(text));
});

journey('what strangers named is shown as it is, and runs nothing', async (t) => {
  const evil = '<img src=x onerror="alert(1)">';
  const stub = await StubAdmin.start();
  stub.set('<script>alert(2)</script>.example.com', evil, [
    'javascript:alert(3)',
    `http://${evil}/`,
    'http://10.0.0.1',
  ]);
  stub.busiest = [evil, '"><svg onload=alert(4)>'];
  stub.ready = { isReady: false, isDegraded: true, reasons: [`<b>${evil}</b>`] };
  stub.refused = [`<i>${evil}</i>`];
  stub.store = { name: `redis://${evil}`, isUp: false };
  stub.tell(evil, '"><script>alert(5)</script>', `<iframe src="javascript:alert(6)"></iframe>`, { [evil]: evil });
  const dashboard = await open(t, stub, {}, 'Not ready');
  const { page } = dashboard;

  const row = page.locator('#frontends-list tbody tr');
  await row.waitFor();
  for (const text of ['<script>alert(2)</script>.example.com', evil]) {
    assert.ok((await row.innerText()).includes(text), text);
  }
  assert.ok((await page.locator('#problems-list').innerText()).includes('javascript:alert(3)'));
  assert.ok((await page.locator('#state').innerText()).includes(`<b>${evil}</b>`));
  assert.ok((await page.locator('#state').innerText()).includes(`<i>${evil}</i>`));
  assert.ok((await page.locator('#busiest-list').innerText()).includes('"><svg onload=alert(4)>'));
  await page.locator('#events-level').selectOption('debug');
  stub.tell('garbage', 'error', evil);
  await page.locator('#events-list').getByText(evil, { exact: true }).first().waitFor();
  await page.locator('#events-list').getByText('<iframe src="javascript:alert(6)"></iframe>').waitFor();
  await dashboard.explain(evil);
  assert.ok((await page.locator('#explanation').innerText()).includes(evil));
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Edit <script>' }).click();
  await page.locator('#editor').waitFor();
  assert.equal(await page.locator('#edit-name').inputValue(), evil);

  const parsed = ':is(main, dialog) :is(script, img, iframe, b, [onerror], [onload])';
  assert.equal(await page.locator(parsed).count(), 0);
  assert.equal(await page.locator('[href^="javascript:"], [src]').count(), 0);
});

journey('a host is explained by keyboard alone', async (t) => {
  const stub = await startSmall();
  stub.set('WWW.example.org', 'typo', ['http://10.0.0.3:80']);
  stub.kill('www.example.com', 0, 45);
  const dashboard = await open(t, stub);
  const { page } = dashboard;
  const focused = () => dashboard.evaluate<string>('document.activeElement.id');

  await page.keyboard.press('Tab');
  assert.equal(await dashboard.evaluate('document.activeElement.textContent'), 'Skip to the content');
  await page.keyboard.press('/');
  assert.equal(await focused(), 'host');
  await page.keyboard.type('www.example.com');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'path');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const explanation = page.locator('#explanation');
  await explanation.locator('#verdict').waitFor();
  await eventually(async () => assert.equal(await focused(), 'explanation-title'));
  const text = await explanation.innerText();
  for (const part of [
    /Goes to one of 1 living backend of 2, with equal probability/,
    /http:\/\/10\.0\.0\.1:80\s+dead, [34]\d s left/,
    /http:\/\/10\.0\.0\.2:80\s+not marked dead/,
    /unreachable: connect ECONNREFUSED/,
    /dead:www\.example\.com holds the id 0/,
    /frontend:www\.example\.com used/,
    /frontend:\*\.example\.com not reached/,
    /Worker 4711, generation 2: fresh.* from 3 s ago/,
    /Worker 4712, generation 2: nothing/,
  ]) {
    assert.match(text, part);
  }

  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await dashboard.evaluate('document.activeElement.textContent'), 'Close');
  const outline = await dashboard.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
  assert.notEqual(outline, 'none', 'one sees where one is');
  await page.keyboard.press('Enter');
  await explanation.waitFor({ state: 'hidden' });
  assert.equal(await focused(), 'host');

  // A key that was meant for the host, and why it is not found.
  assert.match(await dashboard.explain('www.example.org'), /^Refused with 400: /);
  assert.match(await explanation.innerText(), /RENAME frontend:WWW\.example\.org frontend:www\.example\.org/);
});

journey('who asked is led to the answer, also when an event has the page ask again before it came', async (t) => {
  const stub = await startSmall();
  const dashboard = await open(t, stub);
  const { page } = dashboard;
  await page.locator('#events-state', { hasText: /^Live$/ }).waitFor();
  const answer = page.waitForResponse('**/explain*');
  const askedAgain = deferred<void>();
  let questions = 0;
  await page.route('**/explain*', async (route) => {
    if (++questions === 1) {
      stub.kill('www.example.com', 0, 45);
      await askedAgain.promise;
    } else {
      askedAgain.resolve();
      await (await answer).finished();
    }
    await route.continue();
  });
  const focused = () => dashboard.evaluate<string>('document.activeElement.id');
  await page.getByLabel('Explain a host').fill('www.example.com');
  await page.getByLabel('Path').press('Enter');
  await page.locator('#verdict').waitFor();
  await eventually(async () => assert.equal(await focused(), 'explanation-title'));
  await page.unrouteAll({ behavior: 'wait' });
});

journey('on a phone nothing is wider than the screen, whatever names are like', async (t) => {
  const stub = await startRealistic();
  const long = 'x'.repeat(250);
  stub.set(`${long}.com`, long, [`http://${long}.example.com:80`, long]);
  stub.busiest = [...stub.busiest, long];
  stub.tell('garbage', 'warn', long, { [long]: long });
  stub.store = { name: `redis://${long}`, isUp: true };
  const dashboard = await open(t, stub, PHONE);
  await dashboard.row('www.example.com').waitFor();
  await dashboard.page.locator('#workers-list tbody tr').first().waitFor();
  assert.equal(await dashboard.sidewaysScroll(), 0);
  await dashboard.explain(`${long}.com`);
  assert.equal(await dashboard.sidewaysScroll(), 0);
  await dashboard.page.getByRole('button', { name: 'Close' }).click();
  await dashboard.page.locator('#search').fill('xxx');
  await dashboard.row(`${long}.com`).waitFor();
  assert.equal(await dashboard.sidewaysScroll(), 0);
  await dashboard.explain(`${long}.com`);
  const editor = await dashboard.edit(`${long}.com`);
  const box = await editor.boundingBox();
  assert.ok(box !== null && box.x >= 0 && box.x + box.width <= 360);
});

journey('at 200 % nothing is wider than the screen', async (t) => {
  const stub = await startRealistic();
  const dashboard = await open(t, stub, { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 });
  await dashboard.row('www.example.com').waitFor();
  assert.equal(await dashboard.sidewaysScroll(), 0);
  await dashboard.explain('api.example.com');
  assert.equal(await dashboard.sidewaysScroll(), 0);
});

for (const colorScheme of ['light', 'dark'] as const) {
  journey(`every text stands out from what is behind it, in the ${colorScheme}`, async (t) => {
    const stub = await startRealistic();
    stub.ready = { isReady: false, isDegraded: true, reasons: ['worker 4712 does not listen'] };
    const dashboard = await open(t, stub, { colorScheme }, 'Not ready');
    await dashboard.row('www.example.com').waitFor();
    await dashboard.page.locator('#events-list li').first().waitFor();
    assert.deepEqual(await dashboard.faintTexts(), []);
    await dashboard.explain('blog.example.org');
    assert.deepEqual(await dashboard.faintTexts(), []);
    await stub.goAway();
    await dashboard.shows('No contact');
    assert.deepEqual(await dashboard.faintTexts(), []);
    await dashboard.page.getByRole('button', { name: 'Theme: system' }).click();
    await dashboard.page.getByRole('button', { name: 'Theme: light' }).click();
    assert.deepEqual(await dashboard.faintTexts(), []);
    const paper = await dashboard.evaluate('getComputedStyle(document.body).backgroundColor');
    assert.equal(paper, 'rgb(20, 22, 25)', 'the toggle overrides the system');
  });
}

journey(
  'axe-core finds nothing wrong, also on a page of a host, in the editor, and when the store is down',
  async (t) => {
    const stub = await startRealistic();
    const dashboard = await open(t, stub);
    await dashboard.row('www.example.com').waitFor();
    await dashboard.page.locator('#workers-list tbody tr').first().waitFor();
    assert.deepEqual(await dashboard.axeFindings(), []);
    await dashboard.edit('www.example.com');
    assert.deepEqual(await dashboard.axeFindings(), []);
    await dashboard.page.keyboard.press('Escape');
    await dashboard.explain('blog.example.org');
    assert.deepEqual(await dashboard.axeFindings(), []);
    stub.isRead = false;
    await dashboard.page.keyboard.press('Escape');
    await dashboard.page.locator('#frontends-fault', { hasText: 'cannot be read' }).waitFor();
    assert.deepEqual(await dashboard.axeFindings(), []);
  },
);

journey('a token is asked for, refused when it is wrong, and kept for this tab only', async (t) => {
  const stub = await startSmall();
  stub.token = 'söcret+/=';
  const dashboard = await open(t, stub, {}, 'Token needed');
  const { page } = dashboard;
  assert.equal(await dashboard.evaluate('document.activeElement.id'), 'token');
  await dashboard.giveToken('guessed');
  await page.locator('#token-fault', { hasText: 'did not accept' }).waitFor();
  await dashboard.giveToken('söcret+/=');
  await dashboard.shows('Ready');
  await page.locator('#token-form').waitFor({ state: 'hidden' });
  await page.locator('#events-state', { hasText: /^Live$/ }).waitFor();
  assert.equal(await dashboard.evaluate('JSON.stringify(localStorage)'), '{}');
  assert.doesNotMatch(page.url(), /cret/);

  await page.reload();
  await dashboard.shows('Ready');
  await page.getByRole('button', { name: 'Forget the token' }).click();
  await dashboard.shows('Token needed');
});

journey('a frontend is added, changed and deleted', async (t) => {
  const stub = await startSmall();
  const dashboard = await open(t, stub);
  const { page } = dashboard;

  const editor = await dashboard.edit('www.example.com');
  await editor.getByLabel('Identifier').fill('renamed');
  await editor.getByRole('button', { name: 'Remove backend 0' }).click();
  await editor.getByRole('button', { name: 'Add a backend' }).click();
  await editor.getByRole('textbox', { name: 'Backend 1' }).fill('10.0.0.9');
  await page.keyboard.press('Enter');
  await editor.getByText('is not http://HOST:PORT').waitFor();
  assert.equal(stub.changes.length, 0, 'a slip is found before it is sent');
  await editor.getByRole('textbox', { name: 'Backend 1' }).fill(' http://10.0.0.9:8080 ');
  await page.keyboard.press('Enter');
  await editor.waitFor({ state: 'hidden' });
  assert.deepEqual(stub.changes.splice(0), [
    {
      method: 'PUT',
      path: '/api/v1/frontends/www.example.com',
      body: { name: 'renamed', backends: ['http://10.0.0.2:80', 'http://10.0.0.9:8080'] },
    },
  ]);
  await dashboard.frontendIs('www.example.com', /renamed/);
  assert.equal(await dashboard.evaluate('document.activeElement.textContent'), 'Edit', 'back to where one was');

  await page.getByRole('button', { name: 'Add a frontend' }).click();
  await editor.getByLabel('Host').fill('*.example.org');
  await editor.getByLabel('Identifier').fill('other');
  await editor.getByRole('textbox', { name: 'Backend 0' }).fill('https://10.0.0.5');
  await editor.getByRole('button', { name: 'Save' }).click();
  await dashboard.row('*.example.org').waitFor();
  assert.deepEqual(stub.changes.splice(0), [
    { method: 'PUT', path: '/api/v1/frontends/*.example.org', body: { name: 'other', backends: ['https://10.0.0.5'] } },
  ]);

  await dashboard.edit('*.example.org');
  await editor.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Keep it' }).click();
  assert.equal(stub.changes.length, 0);
  await editor.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete it' }).click();
  await dashboard.row('*.example.org').waitFor({ state: 'detached' });
  assert.deepEqual(stub.changes, [{ method: 'DELETE', path: '/api/v1/frontends/*.example.org', body: null }]);
});

journey('a change that the router refuses stays in the editor, beside the reason', async (t) => {
  const stub = await startSmall();
  stub.readOnly = 'routes come from a file: change that';
  const dashboard = await open(t, stub);
  const editor = await dashboard.edit('www.example.com');
  await editor.getByLabel('Identifier').fill('renamed');
  await editor.getByRole('button', { name: 'Save' }).click();
  await editor.getByRole('alert').getByText(stub.readOnly).waitFor();
  assert.equal(await editor.getByLabel('Identifier').inputValue(), 'renamed');
  await dashboard.page.keyboard.press('Escape');
  await editor.waitFor({ state: 'hidden' });
});

journey('a router that went away is missed in plain words, and found again', async (t) => {
  const stub = await startSmall();
  const dashboard = await open(t, stub);
  await dashboard.page.locator('#events-state', { hasText: /^Live$/ }).waitFor();
  await stub.goAway();
  await dashboard.shows('No contact');
  assert.match(
    await dashboard.page.locator('#contact').innerText(),
    /The router does not respond\. What you see is from [\d:]+\. (?:Next try in \d+ s|Trying again)\./,
  );
  assert.equal(await dashboard.page.locator('#events-state').innerText(), 'Not live');
  assert.ok(await dashboard.row('www.example.com').isVisible(), 'what was known stays');

  await stub.comeBack();
  await dashboard.page.getByRole('button', { name: 'Try now' }).click();
  await dashboard.shows('Ready');
  await dashboard.page.locator('#events-state', { hasText: /^Live$/ }).waitFor();
  stub.kill('www.example.com', 0, null);
  await dashboard.frontendIs('www.example.com', /1 dead/, PROMISED_MS);
  await dashboard.explain('www.example.com');
  await dashboard.backend('http://10.0.0.1:80').getByText('dead, without expiry').waitFor();
});

journey('two thousand frontends are looked through: sorted, filtered, searched, by page', async (t) => {
  const stub = await StubAdmin.start();
  for (let i = 0; i < 2_000; i++) stub.set(`site-${i}.example.com`, `name-${i}`, [`http://10.1.0.1:${i + 1}`]);
  stub.busiest = Array.from({ length: 500 }, (_, i) => `name-${1_999 - i}`);
  stub.failing = new Set(['name-1500']);
  stub.kill('site-7.example.com', 0, 60);
  const dashboard = await open(t, stub);
  const { page } = dashboard;
  const keys = (): Promise<readonly string[]> => page.locator('#frontends-list .key-name').allInnerTexts();
  const beginsWith = (...wanted: readonly string[]): Promise<void> =>
    eventually(async () => assert.deepEqual((await keys()).slice(0, wanted.length), wanted));
  // The worst first, and above all.
  await beginsWith('site-7.example.com', 'site-1500.example.com', 'site-1999.example.com');
  assert.deepEqual((await page.locator('#problems-list .key-name').allInnerTexts()).slice(0, 2), [
    'site-7.example.com',
    'site-1500.example.com',
  ]);
  assert.match(await page.locator('#frontends-counts').innerText(), /^2,000 frontends, 2,000 backends, 1 marked dead$/);
  const heights = await dashboard.evaluate<number[]>(
    "[...document.querySelectorAll('#frontends-list tbody tr')].map((row) => row.getBoundingClientRect().height)",
  );
  assert.equal(heights.length, 100);
  assert.ok(Math.max(...heights) < 36, `one line each: ${Math.max(...heights)} px`);

  await page.getByRole('button', { name: 'Frontend', exact: true }).click();
  await beginsWith('site-0.example.com', 'site-1.example.com', 'site-10.example.com');
  assert.equal(await page.locator('#frontends-list [aria-sort=ascending]').innerText(), 'Frontend');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.locator('#frontends-page', { hasText: '101 to 200 of 2,000' }).waitFor();
  await page.getByRole('button', { name: 'Previous' }).click();
  await page.locator('#frontends-page', { hasText: '1 to 100 of 2,000' }).waitFor();
  assert.ok(await page.getByRole('button', { name: 'Previous' }).isDisabled());
  await page.getByRole('button', { name: 'Req/s' }).click();
  await beginsWith('site-1999.example.com', 'site-1998.example.com');
  await page.getByRole('button', { name: 'Err/s' }).click();
  await beginsWith('site-1500.example.com', 'site-1999.example.com');
  await page.getByRole('button', { name: 'Down 1' }).click();
  await eventually(async () => assert.deepEqual(await keys(), ['site-7.example.com']));
  await page.getByRole('button', { name: 'All 2,000' }).click();
  await page.getByLabel('Key or identifier has').fill('name-123');
  await eventually(async () => assert.equal((await keys()).length, 11));
});

journey('a frontend has a page with a link of its own, which Escape and the way back leave', async (t) => {
  const stub = await startRealistic();
  const dashboard = await open(t, stub);
  const { page } = dashboard;
  await page.getByRole('link', { name: 'api.example.com' }).last().click();
  const site = page.locator('#explanation');
  await site.locator('#verdict').waitFor();
  await eventually(async () =>
    assert.equal(await dashboard.evaluate('document.activeElement.id'), 'explanation-title'),
  );
  assert.equal(new URL(page.url()).hash, '#/api.example.com');
  assert.ok(await page.locator('#frontends').isHidden());
  for (const name of [/^Requests per second, last 5 min\./, /^Responses of 500/, /^Latency, last 5 min\./]) {
    await site.getByRole('img', { name }).waitFor();
  }
  assert.match(await site.innerText(), /log scale, 1\.0 ms to 100 ms/);
  await site.getByText('api.example.com: http://10.0.2.33:8080 is dead').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#frontends').waitFor();
  assert.equal(await dashboard.evaluate('document.activeElement.textContent'), 'api.example.com');
  await page.goBack();
  await site.locator('#verdict').waitFor();
  await page.goBack();
  await page.locator('#frontends').waitFor();

  await page.goto(`${stub.url}#/any.example.com/a%20b`);
  await page.reload();
  await site.getByText('path /a b').waitFor();
  assert.equal(await site.locator('h2').innerText(), 'any.example.com/a b');
  await page.getByRole('link', { name: 'Workers' }).click();
  await page.locator('#workers').waitFor();
  assert.ok(await site.isHidden());
});

journey('the commands of problems can be copied', async (t) => {
  const stub = await startRealistic();
  const dashboard = await open(t, stub);
  const { page } = dashboard;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const line = 'LSET frontend:blog.example.org 2 http://HOST:PORT';
  await page.getByRole('button', { name: `Copy ${line}` }).click();
  await page
    .getByRole('button', { name: `Copy ${line}` })
    .filter({ hasText: 'Copied' })
    .waitFor();
  assert.equal(await dashboard.evaluate('navigator.clipboard.readText()'), line);
});

journey('what is empty says what to do next', async (t) => {
  const stub = await StubAdmin.start();
  stub.store = { name: 'redis://127.0.0.1:6379#mine:', isUp: true };
  const dashboard = await open(t, stub);
  const { page } = dashboard;
  const line = 'redis-cli rpush mine:frontend:www.example.com mywebsite http://10.0.0.1:80';
  await page.locator('#frontends-list', { hasText: line }).waitFor();
  await page.locator('#busiest-list', { hasText: 'curl -H' }).waitFor();
  await page.getByLabel('Key or identifier has').fill('nobody.example.com');
  await page.getByRole('button', { name: 'Explain this host' }).click();
  await page.locator('#verdict', { hasText: 'Refused with 400' }).waitFor();
});

journey('charts say in words what they draw', async (t) => {
  const stub = await startRealistic();
  const dashboard = await open(t, stub);
  const { page } = dashboard;
  const chart = page.getByRole('img', { name: /^Requests per second, last 5 min\. requests: now \d+, at most \d+\.$/ });
  await chart.waitFor();
  await page.getByRole('img', { name: /^Latency, last 5 min\. p50: now [\d.]+ ms, .*p99: now \d+ ms/ }).waitFor();
  assert.match(await page.locator('#requests-now').innerText(), /^\d{3}$/);
  await chart.hover();
  await page.locator('.readout', { hasText: /^\d\d:\d\d:\d\d: requests \d+$/ }).waitFor();
});

journey('a tab that nobody looks at asks for nothing', async (t) => {
  const stub = await startSmall();
  const dashboard = await open(t, stub);
  const hide = (isHidden: boolean) =>
    dashboard.evaluate(
      `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });` +
        "document.dispatchEvent(new Event('visibilitychange'))",
    );
  await hide(true);
  // What was under way may end.
  let asked = 0;
  await eventually(async () => {
    asked = stub.count;
    await dashboard.page.waitForTimeout(1500);
    assert.equal(stub.count, asked);
  });
  await dashboard.page.waitForTimeout(2500);
  assert.equal(stub.count, asked);
  await hide(false);
  await eventually(() => assert.ok(stub.count > asked));
});

journey('what the page’s policy forbids does not happen, and does not go unseen', async (t) => {
  const dashboard = await open(t, await startSmall());
  await dashboard.evaluate("document.body.setAttribute('style', 'position: fixed')");
  await eventually(() => assert.match(dashboard.mishaps.join(), /style-src/));
  assert.equal(await dashboard.evaluate('getComputedStyle(document.body).position'), 'static');
  await assert.rejects(dashboard.evaluate("document.body.innerHTML = '<b>parsed</b>'"), /TrustedHTML/);
  await eventually(() => assert.match(dashboard.mishaps.join(), /require-trusted-types-for/));
  dashboard.mishaps.length = 0;
});
