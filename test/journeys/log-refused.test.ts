/** Requests that the router itself answers, in the operator's log. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { refusingUrl, says, startBackend, startRawBackend } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { type LogEntry, type Router, type RouterOptions, startRouter } from '../support/router.ts';

async function start(t: TestContext, options: Omit<RouterOptions, 'routes'>): Promise<Router> {
  const good = await startBackend(t, says('ok'));
  const silent = await startRawBackend(t, (socket) => socket.resume());
  const routes = {
    'site.test': ['site', good.url],
    'refused.test': ['refused', 'http://127.0.0.1:1'],
    'dead.test': ['dead', refusingUrl(), refusingUrl()],
    'none.test': ['none'],
    'silent.test': ['silent', silent.url],
  };
  return startRouter(t, { ...options, routes });
}

/** The entry for a host's refusal. */
function refusalOf(router: Router, host: string, code: string): Promise<LogEntry> {
  return router.until(`refusal of ${host}`, () =>
    router.log.find((entry) => entry.event === 'refused' && entry['host'] === host && entry['code'] === code),
  );
}

function said({ level, msg, ...entry }: LogEntry): Readonly<Record<string, unknown>> {
  const { code, status, client, host, backend, why } = entry;
  return { level, msg, code, status, client, host, backend, why };
}

test('what backends or the store are to blame for is a warning, with host, backend and reason', async (t) => {
  const router = await start(t, { server: { timeouts: { firstByte: 0.2 } } });
  const { port } = router;
  assert.equal((await ask({ port, host: 'refused.test', headers: { 'X-Forwarded-For': '192.0.2.1' } })).status, 502);
  const why = 'Reached max retries limit: connect ECONNREFUSED 127.0.0.1:1';
  assert.deepEqual(said(await refusalOf(router, 'refused.test', 'backend-failed')), {
    level: 'warn',
    msg: `502 for refused.test: ${why}`,
    code: 'backend-failed',
    status: 502,
    client: '192.0.2.1',
    host: 'refused.test',
    backend: 'http://127.0.0.1:1',
    why,
  });
  assert.equal((await ask({ port, host: 'none.test' })).status, 502);
  const none = await refusalOf(router, 'none.test', 'no-backend');
  assert.equal(none.level, 'warn');
  assert.ok(!('backend' in none));
  assert.equal((await ask({ port, host: 'silent.test' })).status, 504);
  const late = await refusalOf(router, 'silent.test', 'backend-silent');
  assert.deepEqual([late.level, late.msg], ['warn', '504 for silent.test: the backend did not respond in time']);
});

test('a reason is reported once, though it was that of its cause', async (t) => {
  const backend = await startHttp2Backend(t, (stream) => stream.respond({ ':status': 426 }, { endStream: true }));
  const router = await startRouter(t, { routes: { 'h2.test': ['h2', backend.url] } });
  const client = new WebSocket(`ws://127.0.0.1:${router.port}/`, { headers: { Host: 'h2.test' } });
  await once(client, 'error');
  const { why } = await refusalOf(router, 'h2.test', 'no-backend');
  assert.equal(why, 'the backend does not take WebSockets by HTTP/2 (RFC 8441)');
});

test('a WebSocket that comes to nothing is told of too', async (t) => {
  const router = await start(t, {});
  const client = new WebSocket(`ws://127.0.0.1:${router.port}/`, { headers: { Host: 'refused.test' } });
  await once(client, 'error');
  assert.equal((await refusalOf(router, 'refused.test', 'backend-failed'))['status'], 502);
});

test('what clients alone are to blame for is no line, but for what a limit of the operator’s refused', async (t) => {
  const router = await start(t, { server: { limits: { bodyBytes: 3 } } });
  const { port } = router;
  assert.equal((await ask({ port, host: 'unknown.test' })).status, 400);
  await send(port, 'GET / HTTP/1.1\r\nHost: a;b\r\n\r\n');
  await send(port, 'no request\r\n\r\n');
  assert.equal((await ask({ port, method: 'POST', body: 'four' })).status, 413);
  const { level, msg } = await refusalOf(router, 'site.test', 'body-too-large');
  assert.deepEqual([level, msg], ['info', '413 for site.test: a body of 4 bytes']);
  assert.equal(await router.stop(), 0);
  assert.equal(router.log.filter(({ event = '' }) => /refused|garbage/.test(event)).length, 1);
});

test('with server.debug all of it is told', async (t) => {
  const router = await start(t, { server: { debug: true } });
  const { port } = router;
  await ask({ port, host: 'unknown.test' });
  const unknown = await refusalOf(router, 'unknown.test', 'no-frontend');
  assert.deepEqual([unknown.level, unknown.msg], ['debug', '400 for unknown.test: frontend not found']);
  await send(port, 'GET / HTTP/1.1\r\nHost: a;b\r\n\r\n');
  const { client, host, msg } = await router.event('refused', router.log.indexOf(unknown) + 1);
  assert.deepEqual([client, host, msg], ['127.0.0.1', null, '400 for 127.0.0.1: invalid Host header']);
  await send(port, 'no request\r\n\r\n');
  const garbage = await router.event('garbage');
  assert.deepEqual(
    [garbage.level, garbage['client'], garbage['code'], garbage['status']],
    ['debug', '127.0.0.1', 'bad-request', 400],
  );
  assert.match(String(garbage['cause']), /Parse Error/);
});

test('a flood of refusals is 20 lines and a count, and other codes are told all the same', async (t) => {
  const router = await start(t, {});
  const { port } = router;
  await Promise.all(Array.from({ length: 50 }, () => ask({ port, host: 'refused.test' })));
  await ask({ port, host: 'none.test' });
  await refusalOf(router, 'none.test', 'no-backend');
  assert.equal(await router.stop(), 0);
  const told = router.log.filter(({ event, code }) => event === 'refused' && code === 'backend-failed').length;
  const left = router.log.filter(({ event, of }) => event === 'suppressed' && of === 'refused backend-failed');
  assert.equal(told + left.reduce((sum, entry) => sum + Number(entry['count']), 0), 50);
  assert.ok(told >= 20 && left.length > 0);
});
