/** Sticky cookies with a routes file: where their secret comes from, and what keeps it. */
// @one-lane: both lanes have one secret
// @waits: for old processes to end
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { haveEnded, noProc } from '../support/processes.ts';
import { type Router, startRouter } from '../support/router.ts';

const SECRET = 'a-secret-of-at-least-thirty-two-characters';

async function start(t: TestContext, urls: readonly string[], server: Readonly<Record<string, unknown>> = {}) {
  const routes = { 'site.test': ['site', ...urls], 'options:site.test': { sticky: 'home' } };
  return startRouter(t, { routes, server: { workers: 2, ...server } });
}

function startBackends(t: TestContext): Promise<readonly string[]> {
  return Promise.all(['0', '1', '2', '3'].map(async (name) => (await startBackend(t, says(name))).url));
}

/** The cookie that a response sets, and who responded. */
async function visit(router: Router, cookie: string | null = null) {
  const headers = { Host: 'site.test', ...(cookie !== null && { Cookie: cookie }) };
  const { body, headers: got } = await ask({ port: router.port, headers });
  const [line = null] = got['set-cookie'] ?? [];
  return { body, home: line === null ? null : (/^home=[^;]*/.exec(line)?.[0] ?? null) };
}

/** Fails unless the client comes back to its backend each time, and gets no other cookie. */
async function assertReturns(router: Router, { body, home }: Awaited<ReturnType<typeof visit>>): Promise<void> {
  for (let i = 0; i < 8; i++) assert.deepEqual(await visit(router, home), { body, home: null });
}

test('all workers have one secret, which a reload keeps and an upgrade hands on', { skip: noProc }, async (t) => {
  const router = await start(t, await startBackends(t));
  const client = await visit(router);
  assert.match(String(client.home), /^home=[\w-]{22}$/);
  await assertReturns(router, client);

  router.signal('SIGHUP');
  await router.event('reloaded');
  await assertReturns(router, client);

  const ended = once(router.process, 'exit');
  let successor = router.process.pid ?? 0;
  for (let i = 0; i < 2; i++) {
    const from = router.log.length;
    process.kill(successor, 'SIGUSR2');
    successor = Number((await router.event('upgraded', from))['successor']);
    t.after(() => {
      try {
        process.kill(successor, 'SIGKILL');
      } catch {
        // It has ended.
      }
    });
    await ended;
    await assertReturns(router, client);
  }
  process.kill(successor, 'SIGTERM');
  await haveEnded([successor]);
});

test('routers with one server.stickySecret lead clients to the same backends; others do not know the cookie', async (t) => {
  const urls = await startBackends(t);
  const first = await start(t, urls, { stickySecret: SECRET });
  const second = await start(t, urls, { stickySecret: SECRET });
  const other = await start(t, urls);
  const client = await visit(first);
  await assertReturns(first, client);
  await assertReturns(second, client);
  const { home } = await visit(other, client.home);
  assert.ok(home !== null && home !== client.home);
});
