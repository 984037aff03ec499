/** What a worker needs for its connections and its routes is no reason to replace it. */
// @one-lane: tunnels are the full lane's, and both lanes ask the same store
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { noProc, residentBytes, workerOf } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';
import { startWebSocketBackend } from '../support/websockets.ts';

/** `HOSTS=100000 npm test -- memory-guard` for a long look. */
const HOSTS = Number(process.env['HOSTS'] ?? 40_000);
/** Requests at a time on one connection. */
const BATCH = 20;

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

function residentMB(pid: number): number {
  return residentBytes(pid) / 1024 ** 2;
}

test('5,000 idle WebSockets are no reason to replace a worker', { skip: noProc }, async (t) => {
  const backend = await startWebSocketBackend(t);
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { memory: { limitMB: 130, ceilingMB: 0, interval: 1 } },
  });
  const worker = workerOf(router);
  const tunnels: Socket[] = [];
  t.after(() => {
    for (const socket of tunnels) socket.destroy();
  });
  let closed = 0;
  const open = async (): Promise<void> => {
    const socket = await dial(router.port);
    socket.once('close', () => closed++);
    tunnels.push(socket);
    socket.write(UPGRADE);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 101 /);
  };
  for (let i = 0; i < 100; i++) await Promise.all(Array.from({ length: 50 }, open));
  // Without what is allowed for them it would be past the limit.
  assert.ok(residentMB(worker) > 130, `${residentMB(worker)} MB`);
  // A few looks.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.equal(workerOf(router), worker);
  assert.equal(closed, 0);
  assert.deepEqual(
    router.log.filter(({ event }) => event?.startsWith('worker-')),
    [],
  );
});

test('the routes of many hosts are no reason to replace a worker', { skip: noProc, timeout: 240_000 }, async (t) => {
  const redis = await startRedis(t);
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const hosts = Array.from({ length: HOSTS }, (_, i) => `site-${i}.some-platform.test`);
  for (let at = 0; at < hosts.length; at += 10_000) {
    const pipeline = redis.client().pipeline();
    for (const host of hosts.slice(at, at + 10_000)) pipeline.rpush(`frontend:${host}`, host, backend.url);
    await pipeline.exec();
  }
  const router = await startRouter(t, {
    server: { memory: { limitMB: 140, ceilingMB: 0, interval: 1 } },
    config: { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode: 'push', preload: false } },
  });
  const worker = workerOf(router);
  const share = hosts.length / 20;
  await Promise.all(Array.from({ length: 20 }, (_, i) => askAll(router.port, hosts.slice(i * share, (i + 1) * share))));
  assert.ok(residentMB(worker) > 140, `${residentMB(worker)} MB`);
  // A few looks.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.equal((await ask({ port: router.port, host: hosts[0] ?? '' })).body, 'ok');
  assert.equal(workerOf(router), worker);
  assert.deepEqual(
    router.log.filter(({ event }) => event?.startsWith('worker-')),
    [],
  );
});

/** Asks for many hosts by one connection, a few at a time: those of 20 connections wait for one backend. */
async function askAll(port: number, hosts: readonly string[]): Promise<void> {
  const socket = await dial(port);
  for (let at = 0; at < hosts.length; at += BATCH) {
    const batch = hosts.slice(at, at + BATCH);
    socket.write(batch.map((host) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).join(''));
    for (let text = ''; text.split('HTTP/1.1 200 ').length <= batch.length || !text.endsWith('ok');) {
      const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(60_000) })) as [Buffer];
      text += chunk.toString('latin1');
      assert.doesNotMatch(text, /HTTP\/1\.1 [345]/);
    }
  }
  socket.destroy();
}
