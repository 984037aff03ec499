/** No client, and no request, takes all of a site's backends out of service. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { refusingUrl, says, startBackend, startRawBackend } from '../support/backends.ts';
import { type Ask, ask, send } from '../support/client.ts';
import { deathsOf } from '../support/deaths.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { noProc, workerOf } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Router, startRouter } from '../support/router.ts';

const SITE = 'site.test';
const needsProc = { skip: noProc };
/** What uWSGI takes of a request head by default, bytes. */
const BUFFER = 4_096;
const LARGE = { headers: { cookie: 'x'.repeat(6 * 1_024) } } as const;

/** Where routes come from, with a way to make one there. */
interface Scene {
  readonly router: Router;
  readonly redis: TestRedis | null;
}

type Starter = (t: TestContext, urls: readonly string[], server?: Readonly<Record<string, unknown>>) => Promise<Scene>;

const STORES: Readonly<Record<string, Starter>> = {
  Redis: (t, urls, server) => onRedis(t, urls, {}, server),
  'Redis with push': (t, urls, server) => onRedis(t, urls, { cache: { mode: 'push' } }, server),
  'a routes file': async (t, urls, server = {}) => {
    const router = await startRouter(t, { routes: { [SITE]: ['site', ...urls] }, server: { workers: 2, ...server } });
    return { router, redis: null };
  },
};

async function onRedis(
  t: TestContext,
  urls: readonly string[],
  config: Readonly<Record<string, unknown>>,
  server: Readonly<Record<string, unknown>> = {},
): Promise<Scene> {
  const redis = await startRedis(t);
  await redis.cli('rpush', `frontend:${SITE}`, 'site', ...urls);
  const driver = `redis://127.0.0.1:${redis.port}`;
  const router = await startRouter(t, { server: { workers: 2, ...server }, config: { driver, ...config } });
  return { router, redis };
}

/** A uWSGI server: it closes the connection of a request whose head is too large for it, without a word. */
async function startPicky(t: TestContext): Promise<string> {
  const { url } = await startRawBackend(t, (socket) => {
    let head = '';
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (head.length > BUFFER) socket.destroy();
      if (head.length > BUFFER || !head.includes('\r\n\r\n')) return;
      head = '';
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  return url;
}

/** Asks so often that each worker has surely been asked, and expects the same status each time. */
async function assertAll(router: Router, status: number, request: Omit<Ask, 'port'> = {}): Promise<void> {
  for (let i = 0; i < 20; i++)
    assert.equal((await ask({ port: router.port, ...request })).status, status, `request ${i}`);
}

const idsDead = (router: Router): ReadonlySet<unknown> => new Set(deathsOf(router, SITE).map(({ id }) => id));

/** Answers 501 to any other method. */
function onlyGet({ method }: IncomingMessage, response: ServerResponse): void {
  response.writeHead(method === 'GET' ? 200 : 501).end();
}

/** Never answers one path. */
function slowReport(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (request.url !== '/report') response.end('ok');
}

for (const [name, start] of Object.entries(STORES)) {
  test(`${name}: a head that makes both backends close costs its client an error, and nobody else`, async (t) => {
    const { router } = await start(t, [await startPicky(t), await startPicky(t)]);
    await assertAll(router, 200);
    for (let i = 0; i < 5; i++) {
      assert.equal((await ask({ port: router.port, ...LARGE })).status, 502);
      await assertAll(router, 200);
    }
    const { id, frontend, why } = await router.event('last-backend');
    assert.equal(frontend, SITE);
    assert.match(String(why), /closed|hang up/);
    assert.equal(idsDead(router).size, 1);
    assert.ok(!idsDead(router).has(id));
  });

  test(`${name}: answers of 501 to a method take one backend out of service at most`, async (t) => {
    const backends = await Promise.all([startBackend(t, onlyGet), startBackend(t, onlyGet)]);
    const { router } = await start(
      t,
      backends.map(({ url }) => url),
    );
    for (let i = 0; i < 5; i++) {
      assert.equal((await ask({ port: router.port, method: 'PROPFIND' })).status, 501);
      await assertAll(router, 200);
    }
    await router.event('last-backend');
    assert.equal(idsDead(router).size, 1);
  });

  test(`${name}: one request marks one backend, though it makes three close`, async (t) => {
    const urls = await Promise.all([startPicky(t), startPicky(t), startPicky(t)]);
    const { router } = await start(t, urls);
    assert.equal((await ask({ port: router.port, ...LARGE })).status, 502);
    await router.event('backend-dead');
    await assertAll(router, 200);
    assert.equal(idsDead(router).size, 1);
    // What a second request says is heard.
    await eventually(async () => {
      await ask({ port: router.port, ...LARGE });
      assert.equal(idsDead(router).size, 2);
    });
    await assertAll(router, 200);
  });

  test(`${name}: a slow report marks no backend that answers others meanwhile`, async (t) => {
    const backends = await Promise.all([startBackend(t, slowReport), startBackend(t, slowReport)]);
    const settings = { workers: 1, timeouts: { firstByte: 2 } };
    const { router } = await start(
      t,
      backends.map(({ url }) => url),
      settings,
    );
    const state = { isOver: false };
    const report = ask({ port: router.port, path: '/report' }).finally(() => (state.isOver = true));
    while (!state.isOver) await ask({ port: router.port });
    assert.equal((await report).status, 504);
    assert.equal(idsDead(router).size, 0);
  });

  test(`${name}: when the last living backend fails, one that a router marked is tried`, async (t) => {
    let well: number | null = null;
    const backend = async (id: number): Promise<string> => {
      const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell';
      const { url } = await startRawBackend(t, (socket) => {
        socket.once('data', () => (well === id ? socket.end(answer) : socket.destroy()));
      });
      return url;
    };
    const { router } = await start(t, [await backend(0), await backend(1)], { workers: 1 });
    await eventually(async () => {
      assert.equal((await ask({ port: router.port })).status, 502);
      assert.ok(router.log.some(({ event }) => event === 'last-backend'));
    });
    const [marked, ...others] = idsDead(router);
    assert.deepEqual(others, []);
    well = Number(marked);
    await assertAll(router, 200);
  });

  test(`${name}: a WebSocket handshake that makes both backends close takes one at most`, async (t) => {
    const picky = (): Promise<string> => startPicky(t);
    const { router } = await start(t, [await picky(), await picky()]);
    const handshake =
      `GET / HTTP/1.1\r\nHost: ${SITE}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: ${'x'.repeat(6_000)}\r\n\r\n`;
    for (let i = 0; i < 3; i++) assert.match(await send(router.port, handshake), /^HTTP\/1\.1 502 /);
    await assertAll(router, 200);
  });

  test(`${name}: streams that make both HTTP/2 backends end their connection take one at most`, async (t) => {
    const backend = async (): Promise<string> => {
      const { url } = await startHttp2Backend(t, (stream, { cookie = '' }) => {
        if (cookie.length > BUFFER) return stream.session?.destroy();
        stream.respond({ ':status': 200 });
        stream.end('ok');
        return;
      });
      return url;
    };
    const { router } = await start(t, [await backend(), await backend()]);
    for (let i = 0; i < 3; i++) {
      assert.equal((await ask({ port: router.port, ...LARGE })).status, 502);
      await assertAll(router, 200);
    }
  });
}

test('marks that others made are obeyed, all of them: the site has no backend then', async (t) => {
  const [one, two] = await Promise.all([startBackend(t, says('one')), startBackend(t, says('two'))]);
  for (const config of [{}, { cache: { mode: 'push' } }]) {
    const { router, redis } = await onRedis(t, [one.url, two.url], config);
    await redis?.cli('sadd', `dead:${SITE}`, 0, 1);
    await assertAll(router, 502);
    const { headers } = await ask({ port: router.port, headers: { 'X-Debug': '1' } });
    assert.equal(headers['x-router-error'], 'no-backend');
    assert.equal(headers['x-debug-error'], 'Cannot find a valid backend: all are dead');
    await redis?.cli('srem', `dead:${SITE}`, 1);
    await eventually(async () => assert.equal((await ask({ port: router.port })).body, 'two'));
  }
});

test('a backend that an operator marked is not tried, though the last living one fails', async (t) => {
  const marked = await startBackend(t, says('marked'));
  const { router, redis } = await onRedis(t, [marked.url, refusingUrl()], {});
  await redis?.cli('sadd', `dead:${SITE}`, 0);
  await assertAll(router, 502);
  const { id } = await router.event('last-backend');
  assert.equal(id, 1);
  assert.deepEqual(await redis?.cli('smembers', `dead:${SITE}`), ['0']);
});

test('two routers that find the last two backends dead at the same time leave one', async (t) => {
  const redis = await startRedis(t);
  const driver = `redis://127.0.0.1:${redis.port}`;
  const [one, two] = await Promise.all([1, 2].map(() => startRouter(t, { config: { driver } })));
  assert.ok(one && two);
  for (let round = 0; round < 10; round++) {
    const host = `site-${round}.test`;
    await redis.cli('rpush', `frontend:${host}`, 'site', refusingUrl(), refusingUrl());
    const answers: readonly { readonly status: number }[] = await Promise.all(
      [one, two, one, two].map((router) => ask({ port: router.port, host })),
    );
    for (const answer of answers) assert.equal(answer.status, 502);
    await eventually(async () => assert.equal(await redis.cli('scard', `dead:${host}`), 1));
  }
});

test('while Redis is away, a worker keeps the last living backend of a site too', async (t) => {
  const { router, redis } = await onRedis(t, [await startPicky(t), await startPicky(t)], {}, { workers: 1 });
  await assertAll(router, 200);
  await redis?.kill();
  await router.event('store-down');
  for (let i = 0; i < 3; i++) {
    assert.equal((await ask({ port: router.port, ...LARGE })).status, 502);
    await assertAll(router, 200);
  }
  await router.event('last-backend');
});

test('a last backend that fails with every request is told of once a minute', async (t) => {
  const { router } = await onRedis(t, [refusingUrl(), refusingUrl()], {}, { workers: 1 });
  await assertAll(router, 502);
  assert.equal(await router.stop(), 0);
  assert.equal(router.log.filter(({ event }) => event === 'last-backend').length, 1);
});

test('a connection that is refused and one that breaks are two kinds: both backends of one request may be marked', async (t) => {
  const cutting = await startRawBackend(t, (socket) => socket.once('data', () => socket.destroy()));
  const good = await startBackend(t, says('good'));
  const { router } = await onRedis(t, [cutting.url, refusingUrl(), good.url], {}, { workers: 1 });
  await eventually(async () => {
    assert.equal((await ask({ port: router.port })).body, 'good');
    assert.equal(idsDead(router).size, 2);
  });
});

test(
  'with a routes file, marks outlive the workers that made them: a reload, and a worker that dies',
  needsProc,
  async (t) => {
    let asked = 0;
    const failing = await startBackend(t, (_request, response) => {
      asked++;
      response.writeHead(502).end();
    });
    const good = await startBackend(t, says('good'));
    const routes = { [SITE]: ['site', failing.url, good.url] };
    const router = await startRouter(t, { routes, server: { workers: 1 } });
    await eventually(async () => {
      await ask({ port: router.port });
      assert.equal(idsDead(router).size, 1);
    });
    // The master decides, and a request that comes before its answer may still go there.
    const before = asked;
    router.signal('SIGHUP');
    await router.event('reloaded');
    await assertAll(router, 200);
    // The worker of before the reload may not have ended yet, and nothing would be said of it.
    const worker = await eventually(() => workerOf(router));
    process.kill(worker, 'SIGKILL');
    await router.event('worker-died');
    await eventually(() => assertAll(router, 200));
    assert.equal(asked, before);
  },
);
