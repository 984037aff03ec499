/** Workers accept by themselves, from one queue: they share what comes, and lose nothing of it. */
// @alone: measures how evenly the system shares connections out among processes
// @one-lane: connections are accepted before a lane begins
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { connectionsOf, noProc, workersOf } from '../support/processes.ts';
import { type Router, startRouter } from '../support/router.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n';
const needsProc = { skip: noProc };

async function start(t: TestContext, workers: number): Promise<Router> {
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  return await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { workers } });
}

/** Opens a connection that is kept, with one answered request. */
async function visit(t: TestContext, port: number): Promise<Socket> {
  const socket = await dial(port);
  t.after(() => socket.destroy());
  socket.write(REQUEST);
  let text = '';
  while (!text.endsWith('hello')) text += String(((await once(socket, 'data')) as [Buffer])[0]);
  return socket;
}

/** How many of `total` connections that clients have open each worker has. */
async function sharesOf(router: Router, total: number): Promise<readonly number[]> {
  const workers = workersOf(router);
  return await eventually(() => {
    const found = connectionsOf(workers, router.port);
    assert.equal(
      found.reduce((sum, count) => sum + count, 0),
      total,
    );
    return found;
  });
}

/** Whether none is further from an even share than a fifth of it. */
function areEven(counts: readonly number[]): boolean {
  const even = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.every((count) => Math.abs(count - even) <= 0.2 * even);
}

async function assertEven(router: Router, total: number): Promise<void> {
  const counts = await sharesOf(router, total);
  assert.ok(areEven(counts), `uneven: ${counts.join(', ')}`);
}

for (const workers of [2, 4]) {
  // How even the burst itself is, is up to the system's scheduler: a worker that did not run meanwhile accepted few.
  test(`connections that follow a burst of 1,000 go to those of ${workers} workers with few`, needsProc, async (t) => {
    const router = await start(t, workers);
    await Promise.all(Array.from({ length: 1000 }, () => visit(t, router.port)));
    const first = await sharesOf(router, 1000);
    // So many make it even if these go to the workers that are behind.
    const follow = Math.max(200, workers * Math.max(...first) - 1000);
    for (let i = 0; i < follow; i++) await visit(t, router.port);
    await assertEven(router, 1000 + follow);
  });

  test(`1,000 connections one after the other are even among ${workers} workers`, needsProc, async (t) => {
    const router = await start(t, workers);
    for (let i = 0; i < 1000; i++) await visit(t, router.port);
    await assertEven(router, 1000);
  });

  test(`connections that come while others go are even among ${workers} workers`, needsProc, async (t) => {
    const router = await start(t, workers);
    const open: Socket[] = [];
    for (let i = 0; i < 200; i++) {
      open.push(...(await Promise.all(Array.from({ length: 8 }, () => visit(t, router.port)))));
      // The third from the oldest, and the oldest: nobody's in particular.
      if (i >= 50) for (const place of [2, 0, 0, 0]) open.splice(place, 1)[0]?.destroy();
    }
    await assertEven(router, open.length);
  });
}

/** Clients that have all connected at once: what each is answered when it asks. */
async function burst(port: number, count: number): Promise<() => Promise<readonly string[]>> {
  const sockets = await Promise.all(Array.from({ length: count }, () => dial(port)));
  return () =>
    Promise.all(
      sockets.map(
        (socket) =>
          new Promise<string>((resolve) => {
            socket.once('close', () => resolve('closed'));
            socket.once('data', (bytes) => {
              resolve(bytes.toString('latin1').slice(0, 15));
              socket.destroy();
            });
            socket.write(REQUEST);
          }),
      ),
    );
}

for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} right after a burst of connections: each is answered`, async (t) => {
    const router = await start(t, 2);
    const answers = await burst(router.port, 200);
    router.signal(signal);
    const wrong = (await answers()).filter((answer) => answer !== 'HTTP/1.1 200 OK');
    assert.deepEqual(wrong, []);
  });
}

test('a worker that dies in a burst leaves nobody waiting, and the others accept', needsProc, async (t) => {
  const router = await start(t, 2);
  const { port } = router;
  const answers = await burst(port, 200);
  process.kill(workersOf(router)[0] ?? 0, 'SIGKILL');
  for (const answer of await answers()) assert.match(answer, /^(?:HTTP\/1\.1 200 OK|closed)$/);
  await eventually(async () => assert.equal((await ask({ port })).status, 200));
});
