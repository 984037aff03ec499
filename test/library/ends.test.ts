/** What is left of a router after `close()`: nothing. */
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createRouter } from '../../lib/library/index.ts';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { openSession, request } from '../support/http2.ts';
import { portOf } from '../support/library.ts';

const LIBRARY = fileURLToPath(new URL('../../lib/library/index.js', import.meta.url));
const ROUNDS = 20;
/** What ends when it is collected, and holds neither a file descriptor nor a timer. */
const COLLECTED = new Set([
  'ELDHISTOGRAM',
  'DNSCHANNEL',
  'RANDOMBYTESREQUEST',
  'TLSWRAP',
  'PendingRequest',
  'HTTP2SESSION',
]);
/** `Test`: what openSession does after the test. */
const NO_RESOURCE = new Set(['PROMISE', 'TickObject', 'Microtask', 'Test']);

function listenerCounts(): object {
  return Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]));
}

test(`${ROUNDS} routers, one after the other, leave no listener, timer or socket`, async (t) => {
  const backend = await startBackend(t, says('hello'));
  const held = new Map<number, string>();
  const hook = createHook({
    init: (id, type) => {
      if (!NO_RESOURCE.has(type)) held.set(id, type);
    },
    destroy: (id) => void held.delete(id),
  });
  t.after(() => hook.disable());
  const listeners = listenerCounts();
  const serve = async (): Promise<void> => {
    const router = await createRouter({
      http: { port: 0, http2: true },
      routes: {
        'site.test': ['site', backend.url, `http://localhost:${backend.port}`],
        // Features that share something in the background.
        'options:site.test': { rate: '1000', maxConn: 100, bandwidth: 1_000_000, sticky: 'home' },
        'healthcheck:site.test': { path: '/', interval: 1 },
        'fast.test': ['fast', backend.url],
      },
    });
    const port = portOf(router);
    for (const host of ['site.test', 'fast.test', 'unknown.test']) await ask({ port, host });
    const session = await openSession(t, port);
    assert.equal((await request(session)).status, 200);
    await router.metrics();
    await router.explain('site.test');
    session.close();
    await router.close();
  };
  // The first one loads what all have in common.
  await serve();
  hook.enable();
  for (let i = 0; i < ROUNDS; i++) await serve();
  // Connections that both sides have closed take a turn of the event loop or two.
  await eventually(() => {
    const left = [...held.values()].filter((type) => !COLLECTED.has(type));
    // The timer of `eventually`.
    assert.deepEqual(
      left.filter((type) => type !== 'Timeout'),
      [],
    );
    assert.ok(left.length <= 1, left.join());
  });
  assert.deepEqual(listenerCounts(), listeners);
});

test('a process ends by itself when its routers have closed', () => {
  const script = `
    import { createRouter } from ${JSON.stringify(LIBRARY)};
    const routers = await Promise.all([1, 2].map(() => createRouter({ routes: { 'a.test': ['a', 'http://127.0.0.1:1'] } })));
    for (const { addresses } of routers) await fetch(addresses[0]).then((response) => response.text());
    await Promise.all(routers.map((router) => router.close()));
    console.log('closed', process.listenerCount('SIGTERM'), process.listenerCount('uncaughtException'));
  `;
  const args = ['--input-type=module', '--eval', script];
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
  assert.deepEqual({ status, stdout, stderr, signal }, { status: 0, stdout: 'closed 0 0\n', stderr: '', signal: null });
});

test('close() lets an open request finish, and refuses connections', async (t) => {
  const arrived = createServer();
  const backend = await startBackend(t, (incoming, response) => {
    incoming.resume();
    arrived.emit('arrived', response);
  });
  const router = await createRouter({ routes: { 'site.test': ['site', backend.url] } });
  const port = portOf(router);
  const asked = ask({ port });
  const [response] = (await once(arrived, 'arrived')) as [NodeJS.WritableStream];
  const closed = router.close();
  assert.equal(router.close(), closed);
  await eventually(() =>
    assert.rejects(
      new Promise((resolve, reject) => {
        const out = httpRequest({ port, host: '127.0.0.1' }, resolve);
        out.on('error', reject).end();
      }),
      { code: 'ECONNREFUSED' },
    ),
  );
  response.end('finished');
  assert.equal((await asked).body, 'finished');
  await closed;
  // What is still known can be read.
  assert.match(await router.metrics(), /^hipache_ready 0$/m);
  assert.equal((await router.explain('site.test')).route?.name, 'site');
});

test('a router that cannot listen rejects with the text of the command, and leaves nothing open', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as { readonly port: number };
  await assert.rejects(createRouter({ http: { port } }), {
    message: `cannot listen on 127.0.0.1 port ${port}: another program listens there (EADDRINUSE)`,
  });
});
