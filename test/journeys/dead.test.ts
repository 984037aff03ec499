/** When a backend is filed as dead, and when not. */
// @waits: for marks to end
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { request, type RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { refusingUrl, says, startBackend, startRawBackend } from '../support/backends.ts';
import { startBlackhole } from '../support/blackhole.ts';
import { ask, dial } from '../support/client.ts';
import { askUntilDead, assertNobodyDied, deathsOf } from '../support/deaths.ts';
import { type Router, startRouter } from '../support/router.ts';

/** A backend that counts what it is asked. */
async function startCounted(t: TestContext, handler: RequestListener): Promise<{ url: string; hits: () => number }> {
  let hits = 0;
  const { url } = await startBackend(t, (incoming, response) => {
    hits++;
    handler(incoming, response);
  });
  return { url, hits: () => hits };
}

const DEADLY = [501, 502, 503, 504, 599];
const HARMLESS: readonly (readonly [status: number, headers: Readonly<Record<string, string>>])[] = [
  [404, {}],
  [429, { 'Retry-After': '1' }],
  // No active health checker lives here: routes come from a file.
  [500, {}],
  [503, { 'Retry-After': '120' }],
  [600, {}],
];

test('a backend is dead for what it does, never for what its clients do', async (t) => {
  const good = await startCounted(t, says('good'));
  const refusing = refusingUrl();
  const cutting = await startRawBackend(t, (socket) => socket.once('data', () => socket.destroy()));
  const silent = await startRawBackend(t, (socket) => socket.resume());
  const garbling = await startRawBackend(t, (socket) => socket.once('data', () => socket.end('hello\r\n\r\n')));
  const blackhole = await startBlackhole(t);
  const routes: Record<string, readonly string[]> = {
    '*.control.test': ['control', refusing, good.url],
    'refused.test': ['refused', refusing, good.url],
    '*.wild.test': ['wild', refusing, good.url],
    'cut.test': ['cut', cutting.url, good.url],
    'silent.test': ['silent', silent.url, good.url],
    'garbled.test': ['garbled', garbling.url, garbling.url],
    'blackhole.test': ['blackhole', blackhole ?? refusing, good.url],
    'only-silent.test': ['only', silent.url],
    'only-refusing.test': ['only', refusing],
  };
  const answering = new Map<string, Awaited<ReturnType<typeof startCounted>>>();
  for (const [status, headers] of [...DEADLY.map((code) => [code, {}] as const), ...HARMLESS]) {
    const backend = await startCounted(t, says(`sorry, ${status}`, status, { 'X-Own': 'header', ...headers }));
    const host = `${status}${'Retry-After' in headers ? '-later' : ''}.test`;
    answering.set(host, backend);
    routes[host] = ['answering', backend.url, good.url];
    routes[`only-${host}`] = ['only', backend.url];
  }
  const slow = await startSlow(t);
  routes['slow.test'] = ['slow', slow.url, slow.url];
  const start = (): Promise<Router> => startRouter(t, { routes, server: { timeouts: { connect: 0.3, firstByte: 2 } } });
  const router = await start();
  const { port } = router;
  // So many deaths are a burst to one router, and it would not tell of the last ones.
  const other = await start();
  let controls = 0;
  const control = (): string => `c${controls++}.control.test`;

  await t.test('one that refuses is dead: the request goes elsewhere, and no other is sent there', async () => {
    const { backend, id, frontend, ttlSeconds } = await askUntilDead(router, { host: 'refused.test' });
    assert.deepEqual(
      { backend, id, frontend, ttlSeconds },
      { backend: refusing, id: 0, frontend: 'refused.test', ttlSeconds: 30 },
    );
    for (let i = 0; i < 20; i++) assert.equal((await ask({ port, host: 'refused.test' })).body, 'good');
    assert.equal(deathsOf(router, 'refused.test').length, 1);
  });

  await t.test('a mark is filed under the host that was asked for, though a wildcard matched', async () => {
    await askUntilDead(router, { host: 'a.wild.test' });
    // A host with marks of its own finds the same backend dead once more.
    await askUntilDead(router, { host: 'b.wild.test' });
  });

  await t.test('one that hangs up before it answers is dead', async () => {
    await askUntilDead(router, { host: 'cut.test' });
    for (let i = 0; i < 10; i++) assert.equal((await ask({ port, host: 'cut.test' })).body, 'good');
  });

  await t.test('one that does not answer in time is dead', async () => {
    const { why } = await askUntilDead(router, { host: 'silent.test' });
    assert.equal(why, 'the backend did not respond in time');
  });

  await t.test('one that cannot be connected to in time is dead', async (sub) => {
    if (blackhole === null) return sub.skip('this system accepts connections that no program accepts');
    const { why } = await askUntilDead(router, { host: 'blackhole.test' });
    assert.equal(why, 'connecting timed out');
  });

  for (const status of DEADLY) {
    const host = `${status}.test`;
    await t.test(`one that answers ${status} is dead, and its answer goes to the client`, async () => {
      const { url, hits } = answering.get(host) ?? assert.fail();
      let answer = await ask({ port, host });
      for (let i = 0; i < 100 && answer.status === 200; i++) answer = await ask({ port, host });
      assert.deepEqual([answer.status, answer.body, answer.headers['x-own']], [status, `sorry, ${status}`, 'header']);
      const death = await router.until('death', () => deathsOf(router, host)[0]);
      assert.deepEqual([death['backend'], death['why']], [url, `it responded with status ${status}`]);
      for (let i = 0; i < 20; i++) assert.equal((await ask({ port, host })).body, 'good');
      assert.equal(hits(), 1);
    });
  }

  for (const [status, headers] of HARMLESS) {
    const later = 'Retry-After' in headers;
    const host = `${status}${later ? '-later' : ''}.test`;
    await t.test(`one that answers ${status}${later ? ' with Retry-After' : ''} lives`, async () => {
      const { hits } = answering.get(host) ?? assert.fail();
      for (let i = 0; i < 40; i++) await ask({ port: other.port, host });
      assert.ok(hits() >= 2, `${hits()} of 40`);
      await assertNobodyDied(other, host, control());
    });
  }

  await t.test('one whose answer is not HTTP lives: it may be a single request that breaks it', async () => {
    for (let i = 0; i < 3; i++) assert.equal((await ask({ port: other.port, host: 'garbled.test' })).status, 502);
    await assertNobodyDied(other, 'garbled.test', control());
  });

  await t.test('an only backend is never dead: a bad answer beats none', async () => {
    for (let i = 0; i < 3; i++) {
      assert.equal((await ask({ port: other.port, host: 'only-501.test' })).body, 'sorry, 501');
      assert.equal((await ask({ port: other.port, host: 'only-refusing.test' })).status, 502);
    }
    assert.equal((await ask({ port: other.port, host: 'only-silent.test' })).status, 504);
    for (const host of ['only-501.test', 'only-refusing.test', 'only-silent.test']) {
      await assertNobodyDied(other, host, control());
    }
  });

  await t.test('a client that leaves while it waits says nothing of the backend', async () => {
    const asked = slow.asked();
    const out = request({ port: other.port, host: '127.0.0.1', headers: { host: 'slow.test' } }).on('error', () => {});
    out.end();
    const { left } = await asked;
    out.destroy();
    await left;
    await assertNobodyDied(other, 'slow.test', control());
  });

  await t.test('a client that breaks off its upload says nothing of the backend', async () => {
    const asked = slow.asked();
    const socket = await dial(other.port);
    socket.write('POST / HTTP/1.1\r\nHost: slow.test\r\nContent-Length: 100\r\n\r\nabc');
    const { left } = await asked;
    socket.destroy();
    await left;
    await assertNobodyDied(other, 'slow.test', control());
  });
});

/** A backend that never answers. */
interface Slow {
  readonly url: string;
  /** Resolves when it is asked next, with what resolves when the router has hung up. */
  readonly asked: () => Promise<{ readonly left: Promise<void> }>;
}

async function startSlow(t: TestContext): Promise<Slow> {
  const said = new EventEmitter();
  const { url } = await startBackend(t, (incoming) => {
    incoming.on('error', () => {});
    said.emit('asked', { left: new Promise<void>((resolve) => incoming.socket.once('close', () => resolve())) });
  });
  return { url, asked: async () => ((await once(said, 'asked')) as [{ left: Promise<void> }])[0] };
}
