/** Backends that were dead, and answer again. */
import assert from 'node:assert/strict';
import { type RequestListener, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { WebSocketServer } from 'ws';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { deathsOf } from '../support/deaths.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { type Router, startRouter } from '../support/router.ts';
import { openWebSocket } from '../support/websockets.ts';

const TTL_SECONDS = 1;

/** A router on Redis that knows these backends of site.test. */
async function start(t: TestContext, urls: readonly string[]): Promise<Router> {
  const redis = await startRedis(t);
  await redis.cli('rpush', 'frontend:site.test', 'site', ...urls);
  const config = { driver: `redis://127.0.0.1:${redis.port}` };
  return startRouter(t, { server: { deadBackendTTL: TTL_SECONDS }, config });
}

const aliveIn = (router: Router): number => router.log.filter(({ event }) => event === 'backend-alive').length;

test('a backend that dies and comes back is told of, both times, with how long it was away', async (t) => {
  let isIll = true;
  const ill: RequestListener = (request, response) => {
    if (isIll) request.socket.destroy();
    else response.end('ill');
  };
  const [good, other] = await Promise.all([startBackend(t, says('good')), startBackend(t, ill)]);
  const router = await start(t, [good.url, other.url]);
  const { port } = router;
  await eventually(async () => {
    assert.equal((await ask({ port })).body, 'good');
    assert.ok(deathsOf(router, 'site.test').length >= 1);
  });
  // Others that answer have not returned.
  for (let i = 0; i < 5; i++) await ask({ port });
  isIll = false;
  await eventually(async () => assert.equal((await ask({ port })).body, 'ill'));
  const { level, frontend, backend, id, deadSeconds, msg } = await router.event('backend-alive');
  assert.deepEqual([level, frontend, backend, id], ['info', 'site.test', other.url, 1]);
  assert.ok(Number(deadSeconds) >= TTL_SECONDS, String(deadSeconds));
  assert.equal(msg, `site.test: ${other.url} is alive again after ${String(deadSeconds)} s`);
  for (let i = 0; i < 20; i++) await ask({ port });
  assert.equal(await router.stop(), 0);
  assert.equal(aliveIn(router), 1);
});

test('one that answers with errors is dead, and any other answer is a sign of life', async (t) => {
  let status = 502;
  const ill: RequestListener = (_request, response) => response.writeHead(status).end('ill');
  const [good, other] = await Promise.all([startBackend(t, says('good')), startBackend(t, ill)]);
  const router = await start(t, [good.url, other.url]);
  await eventually(async () => {
    await ask(router);
    assert.ok(deathsOf(router, 'site.test').length >= 2);
  });
  assert.equal(aliveIn(router), 0);
  status = 404;
  await eventually(async () => assert.equal((await ask(router)).status, 404));
  const { deadSeconds } = await router.event('backend-alive');
  assert.ok(Number(deadSeconds) >= 2 * TTL_SECONDS, 'since its first death');
});

test('a WebSocket that is opened is a sign of life, too', async (t) => {
  let isIll = true;
  const sockets = new WebSocketServer({ noServer: true });
  const backend = async (): Promise<string> => {
    const { server, url } = await startBackend(t, says('no WebSocket'));
    server.on('upgrade', (request, socket: Duplex, head) => {
      if (isIll) socket.end(`HTTP/1.1 503 ${STATUS_CODES[503]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      else sockets.handleUpgrade(request, socket, head, () => {});
    });
    return url;
  };
  const router = await start(t, [await backend(), await backend()]);
  const open = async (): Promise<boolean> => {
    const client = openWebSocket(t, `ws://127.0.0.1:${router.port}`, 'site.test');
    const isOpen = await new Promise<boolean>((resolve) => {
      client.once('open', () => resolve(true));
      client.once('close', () => resolve(false));
    });
    client.terminate();
    return isOpen;
  };
  assert.equal(await open(), false);
  const { id } = await router.event('backend-dead');
  isIll = false;
  await eventually(async () => {
    assert.equal(await open(), true);
    assert.equal(aliveIn(router), 1);
  });
  assert.equal((await router.event('backend-alive'))['id'], id);
});
