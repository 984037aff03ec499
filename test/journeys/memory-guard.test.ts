import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { Load } from '../support/load.ts';
import { haveEnded, noProc, residentBytes, workerOf } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { startSlowBackend } from '../support/slow.ts';
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

test('a fat worker is replaced without a failed request; a fat successor stays, and that is said', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  // Every worker is fatter than this from its birth.
  const memory = { limitMB: 1, interval: 1 };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { memory } });
  const old = noProc ? 0 : workerOf(router);
  // With one worker the port would close if there were a moment without any.
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  t.after(() => agent.destroy());
  const load = new Load(t, router.port);
  const kept = new Load(t, router.port, { agent });
  const fat = await router.event('worker-fat');
  assert.equal(fat['limitMB'], 1);
  assert.ok(Number(fat['megabytes']) > 1);
  const stays = await router.event('worker-still-fat');
  assert.notEqual(stays['worker'], fat['worker']);
  assert.match(stays.msg ?? '', /server\.memory\.limitMB \(1\) may be less than any worker needs/);
  await load.answers(20);
  assert.deepEqual(await load.stop(), []);
  assert.deepEqual(await kept.stop(), []);
  if (!noProc) {
    await haveEnded([old]);
    assert.equal(workerOf(router), stays['worker']);
  }
  // Said once each; nothing is replaced every second.
  assert.equal(router.log.filter(({ event }) => event?.startsWith('worker-')).length, 2);
});

test('a fat worker finishes what it has begun', async (t) => {
  const backend = await startSlowBackend(t);
  const memory = { limitMB: 1, interval: 1 };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { memory } });
  const answer = ask(router);
  await backend.arrived(1);
  await router.event('worker-still-fat');
  backend.waiting[0]?.response.end('slow but whole');
  assert.equal((await answer).body, 'slow but whole');
});

/** A program that workers load first: it keeps more memory all the time, as a mistake would. */
function leak(t: TestContext, megabytesPerSecond: number): Readonly<Record<string, string>> {
  const file = join(temporaryFolder(t), 'leak.cjs');
  const bytes = Math.round(megabytesPerSecond * 100_000);
  writeFileSync(
    file,
    `const kept = [];
    if (process.argv[1]?.endsWith('worker-main.js'))
      setInterval(() => kept.push(Buffer.alloc(${bytes}, 1)), 100).unref();`,
  );
  return { NODE_OPTIONS: `--require ${file}` };
}

test('a worker that leaks is replaced without a failed request', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { memory: { limitMB: 200, interval: 1 } },
    env: leak(t, 40),
  });
  const load = new Load(t, router.port);
  const fat = await router.event('worker-fat');
  assert.equal(fat['limitMB'], 200);
  assert.ok(Number(fat['megabytes']) - Number(fat['expectedMB']) >= 200);
  await load.answers(20);
  assert.deepEqual(await load.stop(), []);
});

test('of workers that are too large at the same time one is replaced at a time', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { workers: 2, memory: { limitMB: 1, interval: 1 } },
  });
  await router.event('worker-fat');
  // By then the other has said so, too.
  await router.event('worker-still-fat');
  assert.equal(router.log.filter(({ event }) => event === 'worker-fat').length, 1);
});

test('reloads while workers are too large fail no request, and replace each worker once at most', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { memory: { limitMB: 1, interval: 1 } },
  });
  const load = new Load(t, router.port);
  for (let i = 1; i <= 3; i++) {
    router.signal('SIGHUP');
    await router.until('reload', () => router.log.filter(({ event }) => event === 'reloaded').length === i);
  }
  await router.event('worker-still-fat');
  await load.answers(20);
  assert.deepEqual(await load.stop(), []);
  const replaced = router.log.filter(({ event }) => event === 'worker-fat').map(({ worker }) => worker);
  assert.equal(new Set(replaced).size, replaced.length);
});

test('a worker at the ceiling is replaced whatever it is busy with, and that is announced', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { memory: { limitMB: 5000, ceilingMB: 10, interval: 1 } },
  });
  const { megabytes, limitMB } = await router.event('worker-ceiling');
  assert.equal(limitMB, 10);
  assert.ok(Number(megabytes) > 10);
  const still = await router.event('worker-still-fat');
  assert.equal(still['fault'], 'ceiling');
});

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
    server: { memory: { limitMB: 200, ceilingMB: 0, interval: 1 } },
    config: { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode: 'push', preload: false } },
  });
  const worker = workerOf(router);
  const share = hosts.length / 20;
  await Promise.all(Array.from({ length: 20 }, (_, i) => askAll(router.port, hosts.slice(i * share, (i + 1) * share))));
  assert.ok(residentMB(worker) > 200, `${residentMB(worker)} MB`);
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

test('a worker told to end by SIGTERM is replaced first', { skip: noProc }, async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const worker = workerOf(router);
  const load = new Load(t, router.port);
  await load.answers(5);
  process.kill(worker, 'SIGTERM');
  await haveEnded([worker]);
  await load.answers(5);
  assert.deepEqual(await load.stop(), []);
  assert.notEqual(workerOf(router), worker);
});
