/** No client, and no request, takes all of a site's backends out of service. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { refusingUrl, says, startBackend, startRawBackend } from '../support/backends.ts';
import { type Answer, type Ask, ask, send } from '../support/client.ts';
import { deathsOf } from '../support/deaths.ts';
import { eventually } from '../support/eventually.ts';
import { fileOwner } from '../support/file-owner.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { noProc, workerOf } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type LogEntry, type Owner, type Router, startRouter } from '../support/router.ts';

const file = fileOwner();
const needsProc = { skip: noProc };
/** What uWSGI takes of a request head by default, bytes. */
const BUFFER = 4_096;
const LARGE = { headers: { cookie: 'x'.repeat(6 * 1_024) } } as const;

/** A router with a site, and the server that has its routes. */
interface Scene {
  readonly router: Router;
  readonly redis: TestRedis | null;
  readonly site: string;
}

/** A running router, to which sites can be added. */
interface Host {
  readonly router: Router;
  readonly redis: TestRedis | null;
  /** Resolves when every worker has it. */
  readonly add: (site: string, urls: readonly string[]) => Promise<unknown>;
}

type Settings = Readonly<Record<string, unknown>>;

const STORES: Readonly<Record<string, (owner: Owner, server?: Settings) => Promise<Host>>> = {
  Redis: (owner, server) => onRedis(owner, {}, server),
  'Redis with push': (owner, server) => onRedis(owner, { cache: { mode: 'push' } }, server),
  'a routes file': onFile,
};

async function onRedis(owner: Owner, config: Settings = {}, server: Settings = {}): Promise<Host> {
  const redis = await startRedis(owner);
  const driver = `redis://127.0.0.1:${redis.port}`;
  const router = await startRouter(owner, { server: { workers: 2, ...server }, config: { driver, ...config } });
  return { router, redis, add: (site, urls) => redis.cli('rpush', `frontend:${site}`, 'site', ...urls) };
}

async function onFile(owner: Owner, server: Settings = {}): Promise<Host> {
  const routes: Record<string, readonly string[]> = {};
  const router = await startRouter(owner, { routes, server: { workers: 2, ...server } });
  const add = async (site: string, urls: readonly string[]): Promise<void> => {
    routes[site] = ['site', ...urls];
    // A worker takes the whole file at once: one that has the second has the first.
    routes[`with-${site}`] = ['with', 'redirect://elsewhere.test/ 302'];
    writeFileSync(join(router.folder, 'routes.json'), JSON.stringify(routes));
    await eventually(() => assertAll({ router, site: `with-${site}` }, 302));
  };
  return { router, redis: null, add };
}

let sites = 0;

/** A site of a test's own. */
async function siteOn({ router, redis, add }: Host, urls: readonly string[]): Promise<Scene> {
  const site = `site-${++sites}.test`;
  await add(site, urls);
  return { router, redis, site };
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
async function assertAll(scene: Pick<Scene, 'router' | 'site'>, status: number): Promise<void> {
  for (let i = 0; i < 20; i++) assert.equal((await askAt(scene)).status, status, `request ${i}`);
}

function askAt({ router, site }: Pick<Scene, 'router' | 'site'>, request: Omit<Ask, 'port'> = {}): Promise<Answer> {
  return ask({ port: router.port, host: site, ...request });
}

const idsDead = ({ router, site }: Scene): ReadonlySet<unknown> => new Set(deathsOf(router, site).map(({ id }) => id));

/** What the log says of the last living backend of a site. */
function lastBackend({ router, site }: Scene): Promise<LogEntry> {
  return router.until(`last backend of ${site}`, () =>
    router.log.find(({ event, frontend }) => event === 'last-backend' && frontend === site),
  );
}

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
  let shared: Promise<Host> | undefined;
  /** A site on a router that tests share which need no settings of their own. */
  const siteHere = async (...urls: readonly string[]): Promise<Scene> => siteOn(await (shared ??= start(file)), urls);

  test(`${name}: a head that makes both backends close costs its client an error, and nobody else`, async (t) => {
    const scene = await siteHere(await startPicky(t), await startPicky(t));
    await assertAll(scene, 200);
    for (let i = 0; i < 5; i++) {
      assert.equal((await askAt(scene, LARGE)).status, 502);
      await assertAll(scene, 200);
    }
    const { id, why } = await lastBackend(scene);
    assert.match(String(why), /closed|hang up/);
    assert.equal(idsDead(scene).size, 1);
    assert.ok(!idsDead(scene).has(id));
  });

  test(`${name}: answers of 501 to a method take one backend out of service at most`, async (t) => {
    const backends = await Promise.all([startBackend(t, onlyGet), startBackend(t, onlyGet)]);
    const scene = await siteHere(...backends.map(({ url }) => url));
    for (let i = 0; i < 5; i++) {
      assert.equal((await askAt(scene, { method: 'PROPFIND' })).status, 501);
      await assertAll(scene, 200);
    }
    await lastBackend(scene);
    assert.equal(idsDead(scene).size, 1);
  });

  test(`${name}: one request marks one backend, though it makes three close`, async (t) => {
    const scene = await siteHere(...(await Promise.all([startPicky(t), startPicky(t), startPicky(t)])));
    assert.equal((await askAt(scene, LARGE)).status, 502);
    await eventually(() => assert.equal(idsDead(scene).size, 1));
    await assertAll(scene, 200);
    assert.equal(idsDead(scene).size, 1);
    // What a second request says is heard.
    await eventually(async () => {
      await askAt(scene, LARGE);
      assert.equal(idsDead(scene).size, 2);
    });
    await assertAll(scene, 200);
  });

  test(`${name}: a slow report marks no backend that answers others meanwhile`, async (t) => {
    const backends = await Promise.all([startBackend(t, slowReport), startBackend(t, slowReport)]);
    const host = await start(t, { workers: 1, timeouts: { firstByte: 2 } });
    const urls = backends.map(({ url }) => url);
    const scene = await siteOn(host, urls);
    const state = { isOver: false };
    const report = askAt(scene, { path: '/report' }).finally(() => (state.isOver = true));
    while (!state.isOver) await askAt(scene);
    assert.equal((await report).status, 504);
    assert.equal(idsDead(scene).size, 0);
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
    const scene = await siteHere(await backend(0), await backend(1));
    await eventually(async () => {
      assert.equal((await askAt(scene)).status, 502);
      assert.ok(scene.router.log.some(({ event, frontend }) => event === 'last-backend' && frontend === scene.site));
    });
    const [marked, ...others] = idsDead(scene);
    assert.deepEqual(others, []);
    well = Number(marked);
    await assertAll(scene, 200);
  });

  test(`${name}: a WebSocket handshake that makes both backends close takes one at most`, async (t) => {
    const scene = await siteHere(await startPicky(t), await startPicky(t));
    const handshake =
      `GET / HTTP/1.1\r\nHost: ${scene.site}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: ${'x'.repeat(6_000)}\r\n\r\n`;
    for (let i = 0; i < 3; i++) assert.match(await send(scene.router.port, handshake), /^HTTP\/1\.1 502 /);
    await assertAll(scene, 200);
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
    const scene = await siteHere(await backend(), await backend());
    for (let i = 0; i < 3; i++) {
      assert.equal((await askAt(scene, LARGE)).status, 502);
      await assertAll(scene, 200);
    }
  });
}

test('marks that others made are obeyed, all of them: the site has no backend then', async (t) => {
  const [one, two] = await Promise.all([startBackend(t, says('one')), startBackend(t, says('two'))]);
  for (const config of [{}, { cache: { mode: 'push' } }]) {
    const scene = await siteOn(await onRedis(t, config), [one.url, two.url]);
    const { redis, site } = scene;
    await redis?.cli('sadd', `dead:${site}`, 0, 1);
    await assertAll(scene, 502);
    const { headers } = await askAt(scene, { headers: { 'X-Debug': '1' } });
    assert.equal(headers['x-router-error'], 'no-backend');
    assert.equal(headers['x-debug-error'], 'Cannot find a valid backend: all are dead');
    await redis?.cli('srem', `dead:${site}`, 1);
    await eventually(async () => assert.equal((await askAt(scene)).body, 'two'));
  }
});

test('a backend that an operator marked is not tried, though the last living one fails', async (t) => {
  const marked = await startBackend(t, says('marked'));
  const scene = await siteOn(await onRedis(t), [marked.url, refusingUrl()]);
  const { redis, site } = scene;
  await redis?.cli('sadd', `dead:${site}`, 0);
  await assertAll(scene, 502);
  const { id } = await lastBackend(scene);
  assert.equal(id, 1);
  assert.deepEqual(await redis?.cli('smembers', `dead:${site}`), ['0']);
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
  const scene = await siteOn(await onRedis(t, {}, { workers: 1 }), [await startPicky(t), await startPicky(t)]);
  await assertAll(scene, 200);
  await scene.redis?.kill();
  await scene.router.event('store-down');
  for (let i = 0; i < 3; i++) {
    assert.equal((await askAt(scene, LARGE)).status, 502);
    await assertAll(scene, 200);
  }
  await lastBackend(scene);
});

test('a last backend that fails with every request is told of once a minute', async (t) => {
  const scene = await siteOn(await onRedis(t, {}, { workers: 1 }), [refusingUrl(), refusingUrl()]);
  await assertAll(scene, 502);
  const { router } = scene;
  assert.equal(await router.stop(), 0);
  assert.equal(router.log.filter(({ event }) => event === 'last-backend').length, 1);
});

test('a connection that is refused and one that breaks are two kinds: both backends of one request may be marked', async (t) => {
  const cutting = await startRawBackend(t, (socket) => socket.once('data', () => socket.destroy()));
  const good = await startBackend(t, says('good'));
  const scene = await siteOn(await onRedis(t, {}, { workers: 1 }), [cutting.url, refusingUrl(), good.url]);
  await eventually(async () => {
    assert.equal((await askAt(scene)).body, 'good');
    assert.equal(idsDead(scene).size, 2);
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
    const scene = await siteOn(await onFile(t, { workers: 1 }), [failing.url, good.url]);
    const { router } = scene;
    await eventually(async () => {
      await askAt(scene);
      assert.equal(idsDead(scene).size, 1);
    });
    // The master decides, and a request that comes before its answer may still go there.
    const before = asked;
    router.signal('SIGHUP');
    await router.event('reloaded');
    await assertAll(scene, 200);
    // The worker of before the reload may not have ended yet, and nothing would be said of it.
    const worker = await eventually(() => workerOf(router));
    process.kill(worker, 'SIGKILL');
    await router.event('worker-died');
    await eventually(() => assertAll(scene, 200));
    assert.equal(asked, before);
  },
);
