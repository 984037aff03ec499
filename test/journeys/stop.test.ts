import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as startRequest } from 'node:http';
import { test } from 'node:test';
import { startBackend, textOf } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { haveEnded, noProc, workersOf } from '../support/processes.ts';
import { launchRouter, startRouter } from '../support/router.ts';
import { startSlowBackend } from '../support/slow.ts';

/** Resolves when nobody listens on a port any more. */
async function refuses(port: number): Promise<void> {
  await eventually(() => assert.rejects(dial(port), { code: 'ECONNREFUSED' }));
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} stops accepting, lets requests in flight finish, and exits 0`, async (t) => {
    const backend = await startSlowBackend(t);
    const routes = { 'site.test': ['site', backend.url] };
    const router = await startRouter(t, { routes, server: { workers: 2 } });
    const { port } = router;
    const answer = ask({ port });
    await backend.arrived(1);
    router.signal(signal);
    await refuses(port);
    backend.waiting[0]?.response.end('late but whole');
    const { status, body, headers } = await answer;
    assert.deepEqual({ status, body }, { status: 200, body: 'late but whole' });
    assert.equal(headers.connection, 'close');
    assert.equal(await router.exited(), 0);
    assert.match(router.lines.join('\n'), /"GET \/ HTTP\/1\.1" 200 14 /);
    assert.equal(router.log.at(-1)?.event, 'stopped');
  });
}

test('SIGTERM during a hundred slow requests loses none of them', async (t) => {
  const backend = await startSlowBackend(t);
  const server = { workers: 2, maxSockets: 200 };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server });
  const { port } = router;
  const answers = Promise.all(Array.from({ length: 100 }, () => ask({ port })));
  await backend.arrived(100);
  router.signal('SIGTERM');
  await refuses(port);
  for (const { response } of backend.waiting) response.end('whole');
  for (const { status, body } of await answers) assert.deepEqual({ status, body }, { status: 200, body: 'whole' });
  assert.equal(await router.exited(), 0);
});

test('an upload under way at a stop arrives whole', async (t) => {
  let body = '';
  const backend = await startBackend(t, (request, response) => {
    void textOf(request).then((text) => {
      body = text;
      response.end('thanks');
    });
  });
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const { port } = router;
  const headers = { host: 'site.test', 'content-length': '200000' };
  const upload = startRequest({ host: '127.0.0.1', port, method: 'POST', headers, agent: false });
  const arrival = once(backend.server, 'request');
  upload.write('a'.repeat(100_000));
  await arrival;
  router.signal('SIGTERM');
  await refuses(port);
  upload.end('b'.repeat(100_000));
  const [answer] = (await once(upload, 'response')) as [Parameters<typeof textOf>[0]];
  assert.equal(await textOf(answer), 'thanks');
  assert.equal(body, 'a'.repeat(100_000) + 'b'.repeat(100_000));
  assert.equal(await router.exited(), 0);
});

test('what takes longer than server.drain.requests is cut, and the exit code is still 0', async (t) => {
  const backend = await startSlowBackend(t);
  const drain = { requests: 0.3, tunnels: 0 };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { drain } });
  const answer = ask(router);
  const failed = assert.rejects(answer, { code: 'ECONNRESET' });
  await backend.arrived(1);
  router.signal('SIGTERM');
  await failed;
  assert.equal(await router.exited(), 0);
});

test('a second SIGTERM ends the router at once', { skip: noProc }, async (t) => {
  const backend = await startSlowBackend(t);
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { workers: 2 } });
  const workers = workersOf(router);
  const failed = assert.rejects(ask(router), { code: 'ECONNRESET' });
  await backend.arrived(1);
  router.signal('SIGTERM');
  await router.event('stopping');
  router.signal('SIGTERM');
  await failed;
  await router.exited();
  await haveEnded(workers);
});

// A terminal's ^C and `kill -- -PGID` reach the workers too; so does a supervisor that knows only process groups.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} to the whole process group cuts nothing in flight`, async (t) => {
    const backend = await startSlowBackend(t);
    const routes = { 'site.test': ['site', backend.url] };
    const router = await startRouter(t, { routes, server: { workers: 2 }, isGroupLeader: true });
    const { port } = router;
    const answers = [ask({ port }), ask({ port })];
    await backend.arrived(2);
    process.kill(-(router.process.pid ?? 0), signal);
    await refuses(port);
    for (const { response } of backend.waiting) response.end('whole');
    for (const answer of answers) assert.equal((await answer).body, 'whole');
    assert.equal(await router.exited(), 0);
  });
}

test('idle kept-alive connections do not hold up the exit', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  await Promise.all([1, 2, 3].map(() => ask({ port: router.port, agent })));
  const silent = await dial(router.port);
  const sentAt = performance.now();
  router.signal('SIGTERM');
  assert.equal(await router.exited(), 0);
  assert.ok(performance.now() - sentAt < 10_000);
  silent.destroy();
});

test('a client that has connected just before the stop is still answered', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('welcome'));
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { workers: 2 } });
  const sockets = await Promise.all([1, 2, 3, 4].map(() => dial(router.port)));
  // Connected means that the kernel says so; that the router knows is shown by an answer to a later connection.
  await Promise.all([1, 2, 3, 4].map(() => ask({ port: router.port, host: '__ping__' })));
  router.signal('SIGTERM');
  await router.event('stopping');
  const answers = sockets.map(async (socket) => {
    socket.write('GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  });
  for (const answer of await Promise.all(answers)) assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*welcome/);
  assert.equal(await router.exited(), 0);
});

test(
  'a stop that comes during the start ends the router, and leaves no process behind',
  { skip: noProc },
  async (t) => {
    const router = launchRouter(t, { routes: {}, server: { workers: 2 } });
    // The workers are started next.
    await router.event('routes-loaded');
    router.signal('SIGTERM');
    await router.event('stopping');
    const workers = workersOf(router);
    assert.equal(await router.exited(), 0);
    await haveEnded(workers);
    assert.equal(
      router.log.find(({ level }) => level === 'error'),
      undefined,
    );
  },
);
