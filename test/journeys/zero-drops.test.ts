/** Clients at full speed, while the router changes under them. SECONDS=60 makes each test that long. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { Load } from '../support/load.ts';
import { isAlive, noProc, workersOf } from '../support/processes.ts';
import { type Router, startRouter } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

const SECONDS = Number(process.env['SECONDS'] ?? 6);

/** Half of the clients keep their connections, half have a new one for each request. */
function startLoads(t: TestContext, port: number): { readonly stop: () => Promise<readonly string[]> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const loads = [new Load(t, port, { agent, pauseMs: 0 }), new Load(t, port, { pauseMs: 0 })];
  const stop = async (): Promise<readonly string[]> => {
    const faults = await Promise.all(loads.map((load) => load.stop()));
    // Workers that drain wait for kept connections.
    agent.destroy();
    return faults.flat();
  };
  t.after(stop);
  return { stop };
}

async function startHello(t: TestContext, workers: number): Promise<Router> {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  return await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { workers } });
}

test('SIGHUP every second costs clients at full speed nothing', async (t) => {
  const router = await startHello(t, 2);
  const loads = startLoads(t, router.port);
  for (let second = 0; second < SECONDS; second++) {
    router.signal('SIGHUP');
    await delay(1_000);
  }
  assert.deepEqual(await loads.stop(), []);
  // How many there were is a question of the machine's speed.
  await router.event('reloaded');
});

test('a hundred SIGHUPs within ten seconds make fewer reloads, and leave one generation', async (t) => {
  const router = await startHello(t, 2);
  const loads = startLoads(t, router.port);
  for (let i = 0; i < 100; i++) {
    router.signal('SIGHUP');
    await delay(Math.min(100, SECONDS * 10));
  }
  assert.deepEqual(await loads.stop(), []);
  // The last one may have come during a reload, and make for one more.
  await delay(500);
  await eventually(() => assert.equal((noProc ? [1, 2] : workersOf(router)).length, 2), 20_000);
  assert.equal((await ask(router)).status, 200);
});

test('a worker that is killed costs at most what it had under way', { skip: noProc }, async (t) => {
  const router = await startHello(t, 2);
  const loads = startLoads(t, router.port);
  const rounds = Math.max(1, Math.round(SECONDS / 5));
  for (let i = 0; i < rounds; i++) {
    const [first = 0] = workersOf(router);
    process.kill(first, 'SIGKILL');
    await eventually(() => assert.equal(isAlive(first), false));
    await delay(i + 1 < rounds ? 5_000 : 1_000);
  }
  const faults = await loads.stop();
  // Each of the eight clients has one request under way at a time; one that is cut while it is sent is a broken pipe.
  for (const fault of faults) assert.match(fault, /ECONNRESET|EPIPE|socket hang up/);
  assert.ok(faults.length <= 8 * rounds, `${faults.length} faults`);
});

test('with one worker the port stays open while that one is killed', { skip: noProc }, async (t) => {
  const router = await startHello(t, 1);
  for (let i = 0; i < 3; i++) {
    const [worker = 0] = workersOf(router);
    process.kill(worker, 'SIGKILL');
    await eventually(() => assert.equal(isAlive(worker), false));
    // Nobody accepts now: whoever connects waits for the next worker.
    assert.equal((await ask(router)).status, 200);
  }
});

test('WebSockets live through ten reloads, and every message comes back in order', async (t) => {
  const backend = await startWebSocketBackend(t);
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { workers: 2 } });
  const clients = Array.from({ length: 200 }, () => openWebSocket(t, `ws://127.0.0.1:${router.port}/`, 'site.test'));
  const heard = clients.map((client) => {
    const messages: string[] = [];
    client.on('message', (data: Buffer) => messages.push(data.toString()));
    return messages;
  });
  await eventually(() => assert.ok(clients.every(({ readyState }) => readyState === 1)), 20_000);
  let said = 0;
  const say = (): void => {
    for (const client of clients) client.send(String(said));
    said++;
  };
  for (let i = 0; i < 10; i++) {
    const from = router.log.length;
    say();
    router.signal('SIGHUP');
    await router.event('reloaded', from);
    say();
  }
  const expected = Array.from({ length: said }, (_, i) => String(i));
  await eventually(() => assert.ok(heard.every(({ length }) => length === said)), 20_000);
  for (const messages of heard) assert.deepEqual(messages, expected);
});
