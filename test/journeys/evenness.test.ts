/** Workers accept by themselves, from one queue: they share what comes, and lose nothing of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
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

/**
 * @param total how many connections clients have open
 * @param tolerance how far a worker's part may be from an even one
 */
async function assertEven(router: Router, total: number, tolerance = 0.2): Promise<void> {
  const workers = workersOf(router);
  const counts = await eventually(() => {
    const found = connectionsOf(workers, router.port);
    assert.equal(
      found.reduce((sum, count) => sum + count, 0),
      total,
    );
    return found;
  });
  const even = total / workers.length;
  for (const count of counts) assert.ok(Math.abs(count - even) <= tolerance * even, `uneven: ${counts.join(', ')}`);
}

for (const workers of [2, 4]) {
  test(`1,000 connections in one burst are even among ${workers} workers`, needsProc, async (t) => {
    const router = await start(t, workers);
    await Promise.all(Array.from({ length: 1000 }, () => visit(t, router.port)));
    // On a machine with fewer cores than workers the burst is over before the last of them has run.
    await assertEven(router, 1000, workers > availableParallelism() ? 0.4 : 0.2);
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
