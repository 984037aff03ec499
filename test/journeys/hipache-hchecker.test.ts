/** hipache-hchecker beside the router: which backends it can check, and what becomes of the others. */
// @one-lane: marks of both lanes are written in one place
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Finding } from '../../lib/diagnostics/lint.ts';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { hipache } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { HipacheHchecker } from '../support/hipache-hchecker.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

/** Between two checks, ms. */
const PERIOD_MS = 50;

test('a backend that fails is marked by the checker, and revived when it is well', async (t) => {
  const { redis, checker, start } = await scene(t);
  let isWell = false;
  const good = await startBackend(t, says('good'));
  const asked = new Set<string>();
  const ill = await startBackend(t, (request, response) => {
    if (request.headers.host === 'ping') asked.add(`${request.method} ${request.url}`);
    response.writeHead(isWell ? 200 : 502).end(isWell ? 'well' : 'ill');
  });
  await redis.cli('rpush', 'frontend:site.test', 'site', good.url, ill.url);
  await redis.cli('rpush', 'frontend:other.test', 'other', ill.url, good.url);
  const router = await start();
  for (const [host, id] of [
    ['site.test', '1'],
    ['other.test', '0'],
  ] as const) {
    await eventually(async () => {
      await ask({ port: router.port, host });
      assert.deepEqual(await redis.cli('smembers', `dead:${host}`), [id]);
    });
    // Made by the checker: it gives 60 s, and no URL.
    assert.ok(Number(await redis.cli('ttl', `dead:${host}`)) > 30);
    assert.equal(await redis.cli('exists', `marks:${host}`), 0);
    for (let i = 0; i < 10; i++) assert.equal((await ask({ port: router.port, host })).body, 'good');
  }
  isWell = true;
  for (const host of ['site.test', 'other.test']) {
    await eventually(async () => assert.equal((await ask({ port: router.port, host })).body, 'well'));
    assert.equal(await redis.cli('exists', `dead:${host}`), 0);
  }
  assert.deepEqual([...asked], ['HEAD /CloudHealthCheck']);
  assert.deepEqual(checker.said.at(0), `${ill.url} Added check`);
});

for (const [what, tail] of [
  ['a slash', '/'],
  ['a path', '/app'],
] as const) {
  test(`an entry with ${what} is not found by the checker: no mark, and lint names it`, async (t) => {
    const { redis, checker, start, lint } = await scene(t);
    const good = await startBackend(t, says('good'));
    const origin = refusingUrl();
    await redis.cli('rpush', 'frontend:site.test', 'site', good.url, origin + tail);
    const router = await start();
    await eventually(async () => {
      // The request goes to the other backend.
      assert.equal((await ask(router)).body, 'good');
      assert.ok(checker.said.includes(`${origin} Mapping changed for site.test`));
    });
    assert.equal(await redis.cli('exists', 'dead:site.test'), 0);
    assert.deepEqual(await lint(), ['frontend:site.test checker-blind']);
  });
}

test('a list under a wildcard is not found by the checker: no mark, and lint names it', async (t) => {
  const { redis, checker, start, lint } = await scene(t);
  const good = await startBackend(t, says('good'));
  const bad = refusingUrl();
  await redis.cli('rpush', 'frontend:*.site.test', 'site', good.url, bad);
  const router = await start();
  await eventually(async () => {
    assert.equal((await ask({ port: router.port, host: 'a.site.test' })).body, 'good');
    assert.ok(checker.said.includes(`${bad} Mapping changed for a.site.test`));
  });
  assert.equal(await redis.cli('exists', 'dead:a.site.test'), 0);
  assert.deepEqual(await lint(), ['frontend:*.site.test checker-blind']);
});

test('a backend at a socket is not one that the checker reads: no mark, and lint names it', async (t) => {
  const { redis, checker, start, lint } = await scene(t);
  const good = await startBackend(t, says('good'));
  const socket = 'http://[unix:/nowhere/app.sock]';
  await redis.cli('rpush', 'frontend:site.test', 'site', good.url, socket);
  const router = await start();
  await eventually(async () => {
    assert.equal((await ask(router)).body, 'good');
    assert.ok(checker.said.some((line) => line.startsWith('Warning: got invalid data') && line.includes(socket)));
  });
  assert.equal(await redis.cli('exists', 'dead:site.test'), 0);
  assert.deepEqual(await lint(), ['frontend:site.test checker-blind']);
});

test('an h2c backend that has died once is kept dead by the checker, and lint names it', async (t) => {
  const { redis, checker, start, lint } = await scene(t);
  const good = await startBackend(t, says('good'));
  let isWell = false;
  const grpc = await startHttp2Backend(t, (stream) => {
    stream.respond({ ':status': isWell ? 200 : 502 });
    stream.end();
  });
  await redis.cli('rpush', 'frontend:site.test', 'site', good.url, grpc.url);
  const router = await start();
  await eventually(async () => {
    await ask(router);
    assert.deepEqual(await redis.cli('smembers', 'dead:site.test'), ['1']);
  });
  isWell = true;
  const before = checker.checks.length;
  await eventually(() => assert.ok(checker.checks.length > before + 3));
  assert.ok(checker.checks.every((check) => !check.isWell));
  for (let i = 0; i < 10; i++) assert.equal((await ask(router)).body, 'good');
  assert.deepEqual(await lint(), ['frontend:site.test checker-deadly']);
});

test('without a checker alive, lint has nothing to say of any of these', async (t) => {
  const redis = await startRedis(t);
  await redis.cli('set', 'hchecker_ping', Math.floor(Date.now() / 1000) - 31);
  await redis.cli('rpush', 'frontend:*.site.test', 'site', 'http://10.0.0.1:80/', 'h2c://10.0.0.2:80');
  await redis.cli('rpush', 'frontend:site.test', 'site', 'http://[unix:/run/a.sock]/', 'h2c://10.0.0.2:80');
  assert.deepEqual(await codesOf(redis), []);
});

async function scene(t: TestContext) {
  const redis = await startRedis(t);
  const checker = new HipacheHchecker(t, redis.port, PERIOD_MS, 'checker#1');
  await checker.start();
  const start = () => startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  return { redis, checker, start, lint: () => codesOf(redis) };
}

/** What lint finds that is about a checker. */
async function codesOf(redis: TestRedis): Promise<readonly string[]> {
  const { stdout } = await hipache(['lint', '--json', '--driver', `redis://127.0.0.1:${redis.port}`]);
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
  return findings.filter(({ code }) => code !== 'path-ignored').map(({ key, code }) => `${key} ${code}`);
}
