/** `eject`: a backend that fails far more often than the others is rested, over every protocol. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { startRedis } from '../support/redis.ts';
import { type Router, startRouter } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

const EJECT = '5xx:50% 60s';

async function startHttp2Pair(t: TestContext): Promise<readonly string[]> {
  const backends = await Promise.all(
    [200, 500].map((status) =>
      startHttp2Backend(t, (stream) => {
        stream.respond({ ':status': status });
        stream.end();
      }),
    ),
  );
  return backends.map(({ url }) => url);
}

/** Asks until the bad one rests, then asserts that it gets nothing more. */
async function assertRested(router: Router, host: string): Promise<void> {
  const isRested = () => router.log.find(({ event, frontend }) => event === 'backend-rested' && frontend === host);
  await eventually(async () => {
    await ask({ port: router.port, host });
    assert.ok(isRested());
  });
  const { id, restSeconds, failures } = isRested() ?? {};
  assert.deepEqual([id, restSeconds], [1, 60]);
  assert.ok(Number(failures) >= 10);
  for (let i = 0; i < 20; i++) assert.equal((await ask({ port: router.port, host })).status, 200);
}

test('responses of 500 rest a backend by HTTP/1.1 and HTTP/2, with a routes file and with Redis', async (t) => {
  const good = await startBackend(t, says('good'));
  const bad = await startBackend(t, says('bad', 500));
  const routes = {
    'site.test': ['site', good.url, bad.url],
    'h2.test': ['site', ...(await startHttp2Pair(t))],
    'plain.test': ['site', good.url, bad.url],
    'options:site.test': { eject: EJECT },
    'options:h2.test': { eject: EJECT },
  };
  const byFile = await startRouter(t, { routes, server: { workers: 1 } });
  await assertRested(byFile, 'site.test');
  await assertRested(byFile, 'h2.test');
  // Another site that names the same backends.
  await eventually(async () => assert.equal((await ask({ port: byFile.port, host: 'plain.test' })).status, 500));

  const redis = await startRedis(t);
  await redis.cli('rpush', 'frontend:site.test', 'site', good.url, bad.url);
  await redis.cli('hset', 'options:site.test', 'eject', EJECT);
  const byRedis = await startRouter(t, {
    config: { driver: `redis://127.0.0.1:${redis.port}` },
    server: { workers: 1 },
  });
  await assertRested(byRedis, 'site.test');
  assert.deepEqual(await redis.cli('keys', 'dead:*'), []);
});

test('WebSockets that are refused rest a backend, and those that are opened do not', async (t) => {
  const good = await startWebSocketBackend(t);
  const bad = await startBackend(t, says('no', 500));
  bad.server.on('upgrade', (_request: unknown, socket: NodeJS.WritableStream) =>
    socket.end('HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
  );
  const routes = { 'site.test': ['site', good.url, bad.url], 'options:site.test': { eject: EJECT } };
  const router = await startRouter(t, { routes, server: { workers: 1 } });
  const open = async (): Promise<boolean> => {
    const socket = openWebSocket(t, `ws://127.0.0.1:${router.port}/`, 'site.test');
    const isOpen = await Promise.race([
      once(socket, 'open').then(() => true),
      once(socket, 'unexpected-response').then(() => false),
    ]);
    socket.terminate();
    return isOpen;
  };
  await eventually(async () => {
    await open();
    assert.ok(router.log.some(({ event, id }) => event === 'backend-rested' && id === 1));
  });
  for (let i = 0; i < 10; i++) assert.equal(await open(), true);
  assert.equal(router.log.filter(({ event }) => event === 'backend-rested').length, 1);
});
