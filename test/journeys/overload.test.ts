/** A worker that is really late, because it is stopped most of the time: the busiest site gets 503 until it is in time again. */
// @alone: it makes a worker late, and nothing else may
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { isAlive, noProc, workerOf } from '../support/processes.ts';
import { startRouter } from '../support/router.ts';

/** So many that a site with a request now and then is small, also when nine tenths of all are refused. */
const CLIENTS = 32;
/** From one request for the small site to the next, ms. */
const SELDOM_MS = 2_000;
/** For how long the worker is stopped, and for how long it runs, ms. */
const STOPPED_MS = 250;
const RUNNING_MS = 25;

/** Makes a process late. @returns call it to let it run */
function slowDown(t: TestContext, pid: number): () => void {
  let timer: NodeJS.Timeout;
  const signal = (name: 'SIGSTOP' | 'SIGCONT'): void => {
    if (isAlive(pid)) process.kill(pid, name);
  };
  const stop = (): void => {
    signal('SIGSTOP');
    timer = setTimeout(run, STOPPED_MS);
  };
  const run = (): void => {
    signal('SIGCONT');
    timer = setTimeout(stop, RUNNING_MS);
  };
  const end = (): void => {
    clearTimeout(timer);
    signal('SIGCONT');
  };
  t.after(end);
  stop();
  return end;
}

/** Clients that ask for one site, each as soon as it has its response, and one that asks for another: a site alone is never refused. */
function startLoad(port: number) {
  const load = { served: 0, refused: 0, isOver: false };
  const go = async (): Promise<void> => {
    while (!load.isOver) {
      const { status } = await ask({ port, host: 'big.test' });
      if (status === 503) load.refused++;
      else load.served++;
    }
  };
  const askSmall = async (): Promise<void> => {
    while (!load.isOver) {
      assert.equal((await ask({ port, host: 'small.test' })).status, 200);
      await delay(SELDOM_MS);
    }
  };
  const ended = Promise.all([askSmall(), ...Array.from({ length: CLIENTS }, go)]);
  const end = async (): Promise<void> => {
    load.isOver = true;
    await ended;
  };
  return { load, end };
}

test('a worker that is late refuses requests of the busiest site and serves the others, until it is in time', async (t) => {
  if (noProc !== false) return t.skip(noProc);
  const backend = await startBackend(t, says('ok'));
  const router = await startRouter(t, {
    routes: { 'big.test': ['big', backend.url], 'small.test': ['small', backend.url] },
  });
  const speedUp = slowDown(t, workerOf(router));
  const { load, end } = startLoad(router.port);
  const { sites, lagMs } = await router.event('overloaded');
  assert.deepEqual(sites, ['big.test']);
  assert.ok(Number(lagMs) >= 100, String(lagMs));
  await router.until('requests are refused', () => load.refused > 5);
  for (let i = 0; i < 3; i++) {
    assert.equal((await ask({ port: router.port, host: 'small.test' })).status, 200);
    assert.equal((await ask({ port: router.port, host: '__ping__' })).status, 200);
  }
  assert.ok(load.served > 0);
  speedUp();
  const { refused } = await router.event('overload-over');
  await end();
  assert.ok(Number(refused) > 5, String(refused));
  assert.equal((await ask({ port: router.port, host: 'big.test' })).status, 200);
  assert.equal(router.log.filter(({ event }) => event === 'overloaded').length, 1);
  assert.ok(!router.log.some(({ event }) => event === 'refused'), 'an episode is logged, and not each request');
});
