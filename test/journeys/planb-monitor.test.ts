/** PlanB's monitor beside the router: what it hears, and what it does, by one Redis. */
// @one-lane: marks of both lanes are written in one place
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { hipache } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { PlanbMonitor } from '../support/planb-monitor.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type RouterOptions, startRouter } from '../support/router.ts';

/** Between two checks of the monitor, ms. */
const PERIOD_MS = 50;
/** Longer than any test: marks that end earlier were ended by the monitor. */
const LONG_TTL = 600;

for (const [what, lines, rest] of [
  ['', [], {}],
  [' and the router may not run scripts', ['user default on nopass ~* &* +@all -@scripting'], {}],
  [' and Redis says what has changed (cache.mode "push")', [], { cache: { mode: 'push' } }],
] as const) {
  test(`a backend that is well again is revived by the monitor, whatever follows its host${what}`, async (t) => {
    const { redis, monitor, routerWith } = await scene(t, lines);
    const good = await startBackend(t, says('good'));
    const ill = await illBackend(t);
    for (const [host, tail] of [
      ['bare.test', ''],
      ['slash.test', '/'],
      ['path.test', '/app'],
      ['query.test', '/app/?a=b'],
    ] as const) {
      await redis.cli('rpush', `frontend:${host}`, 'site', good.url, ill.url + tail);
    }
    const router = await routerWith({ server: { deadBackendTTL: LONG_TTL }, config: rest });
    for (const [host, tail] of [
      ['bare.test', ''],
      ['slash.test', '/'],
      ['path.test', '/app'],
      ['query.test', '/app/?a=b'],
    ] as const) {
      ill.isWell = false;
      await askUntilMarked(redis, router.port, host, '1');
      await eventually(() => assert.ok(monitor.checks.some(({ entry }) => entry === ill.url + tail)));
      for (let i = 0; i < 10; i++) assert.equal((await ask({ port: router.port, host })).body, 'good');
      ill.isWell = true;
      await eventually(async () => assert.equal((await ask({ port: router.port, host })).body, 'well'));
      // The router may hear of the revival before the monitor has its reply.
      await eventually(() => assert.deepEqual(monitor.ended.at(-1), { entry: ill.url + tail, why: 'well' }));
      assert.equal(await redis.cli('exists', `dead:${host}`), 0);
    }
  });
}

test('a backend that stays ill stays dead for longer than server.deadBackendTTL', async (t) => {
  const { redis, routerWith } = await scene(t);
  const good = await startBackend(t, says('good'));
  await redis.cli('rpush', 'frontend:site.test', 'site', good.url, `${refusingUrl()}/`);
  const router = await routerWith({ server: { deadBackendTTL: 2 } });
  await askUntilMarked(redis, router.port, 'site.test', '1');
  // The monitor's marks last for 30 s.
  await eventually(async () => assert.ok(Number(await redis.cli('ttl', 'dead:site.test')) > 2));
  for (let i = 0; i < 20; i++) assert.equal((await ask(router)).body, 'good');
});

test('the monitor asks for what healthcheck:<host> says, and the router leaves that key alone', async (t) => {
  const { redis, monitor, routerWith } = await scene(t);
  const good = await startBackend(t, says('good'));
  const asked: string[] = [];
  let isWell = false;
  const ill = await startBackend(t, (request, response) => {
    if (request.headers['user-agent'] === 'Go-http-client/1.1') asked.push(request.url ?? '');
    response.writeHead(isWell ? 202 : 502).end(isWell ? 'WORKING' : '');
  });
  await redis.cli('hset', 'healthcheck:site.test', 'path', '/health', 'status', '202', 'body', 'WORKING');
  await redis.cli('rpush', 'frontend:site.test', 'site', good.url, ill.url);
  const router = await routerWith({ server: { deadBackendTTL: LONG_TTL } });
  await askUntilMarked(redis, router.port, 'site.test', '1');
  isWell = true;
  await eventually(async () => assert.equal((await ask(router)).body, 'WORKING'));
  assert.deepEqual(new Set(asked), new Set(['/health']));
  // The router may hear of the revival before the monitor has its reply.
  await eventually(() => assert.equal(monitor.ended.length, 1));
  assert.equal(await redis.cli('hlen', 'healthcheck:site.test'), 3);
});

test('a death that Redis takes late is announced then, with the entry as it stands', async (t) => {
  const { redis, monitor, routerWith } = await scene(t);
  const good = await startBackend(t, says('good'));
  const ill = await illBackend(t);
  await redis.cli('rpush', 'frontend:site.test', 'site', good.url, `${ill.url}/app/`);
  const router = await routerWith({ server: { deadBackendTTL: LONG_TTL } });
  // Reads go on, and each write is refused (NOREPLICAS).
  await redis.cli('config', 'set', 'min-replicas-to-write', '1');
  await eventually(async () => {
    await ask(router);
    assert.ok(router.log.some(({ event }) => event === 'death-unfiled'));
  });
  assert.deepEqual(monitor.checks, []);
  ill.isWell = true;
  await redis.cli('config', 'set', 'min-replicas-to-write', '0');
  await eventually(() => assert.deepEqual(monitor.ended, [{ entry: `${ill.url}/app/`, why: 'well' }]));
  await eventually(async () => assert.equal((await ask(router)).body, 'well'));
});

test('a mark under a wildcard ends by itself: the monitor finds no list under the host asked for', async (t) => {
  const { redis, monitor, routerWith } = await scene(t);
  const good = await startBackend(t, says('good'));
  const ill = await illBackend(t);
  await redis.cli('rpush', 'frontend:*.site.test', 'site', good.url, ill.url);
  const router = await routerWith({ server: { deadBackendTTL: 2 } });
  await askUntilMarked(redis, router.port, 'a.site.test', '1');
  ill.isWell = true;
  await eventually(() => assert.deepEqual(monitor.ended, [{ entry: ill.url, why: 'not in the list' }]));
  await eventually(async () => assert.equal((await ask({ port: router.port, host: 'a.site.test' })).body, 'well'));
});

test('the monitor cannot check h2c and sockets, and keeps such a backend dead once it has died', async (t) => {
  const { redis, monitor, routerWith } = await scene(t);
  const good = await startBackend(t, says('good'));
  let isWell = false;
  const grpc = await startHttp2Backend(t, (stream) => {
    stream.respond({ ':status': isWell ? 200 : 502 });
    stream.end('well');
  });
  const socket = 'http://[unix:/nowhere/app.sock]';
  await redis.cli('rpush', 'frontend:grpc.test', 'site', good.url, grpc.url);
  await redis.cli('rpush', 'frontend:socket.test', 'site', good.url, socket);
  const router = await routerWith({ server: { deadBackendTTL: 1 } });
  for (const [host, entry] of [
    ['grpc.test', grpc.url],
    ['socket.test', socket],
  ] as const) {
    await askUntilMarked(redis, router.port, host, '1');
    isWell = true;
    await eventually(() => {
      const checks = monitor.checks.filter((check) => check.entry === entry);
      assert.ok(checks.length > 2 && checks.every((check) => !check.isWell));
    });
    assert.ok(Number(await redis.cli('ttl', `dead:${host}`)) > 1);
  }
});

test('what the monitor keeps in Redis is neither a fault to lint nor a mark to the router', async (t) => {
  const { redis, routerWith } = await scene(t);
  const good = await startBackend(t, says('good'));
  for (const [host, entry] of [
    ['site.test', refusingUrl()],
    ['other.test', `${refusingUrl()}/app/`],
  ] as const) {
    await redis.cli('rpush', `frontend:${host}`, 'site', `${good.url}/`, entry);
  }
  await redis.cli('hset', 'healthcheck:site.test', 'path', '/health');
  const router = await routerWith({});
  for (const host of ['site.test', 'other.test']) {
    await askUntilMarked(redis, router.port, host, '1');
    await eventually(async () => assert.equal((await keysLike(redis, `dead:${host}:*`)).length, 1));
    assert.equal((await ask({ port: router.port, host })).body, 'good');
  }
  const { status, stdout } = await hipache(['lint', '--driver', `redis://127.0.0.1:${redis.port}`]);
  assert.doesNotMatch(stdout, /^dead:/m);
  assert.equal(status, 0, stdout);
});

async function scene(t: TestContext, lines: readonly string[] = []) {
  const redis = await startRedis(t, { lines });
  const monitor = new PlanbMonitor(t, redis.port, PERIOD_MS, 'planb-1');
  await monitor.start();
  const routerWith = ({ server = {}, config = {} }: RouterOptions) =>
    startRouter(t, { server, config: { driver: `redis://127.0.0.1:${redis.port}`, ...config } });
  return { redis, monitor, routerWith };
}

/** Closes connections, and when it is well answers: to the monitor any status is a sign of life. */
async function illBackend(t: TestContext) {
  const ill = { isWell: false, url: '' };
  const backend = await startBackend(t, (request, response) => {
    if (ill.isWell) response.end('well');
    else request.socket.destroy();
  });
  ill.url = backend.url;
  return ill;
}

/** Asks until a backend is in the dead set. */
async function askUntilMarked(redis: TestRedis, port: number, host: string, id: string): Promise<void> {
  await eventually(async () => {
    await ask({ port, host });
    assert.deepEqual(await redis.cli('smembers', `dead:${host}`), [id]);
  });
}

async function keysLike(redis: TestRedis, pattern: string): Promise<readonly unknown[]> {
  const keys = await redis.cli('keys', pattern);
  return Array.isArray(keys) ? keys : [];
}
