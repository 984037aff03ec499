// @one-lane: checks are made beside the lanes
// @waits: for the intervals of checks
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

const SITE = 'site.test';

/** A backend that notes when it is checked, ms. */
async function startPatient(t: TestContext) {
  const times: number[] = [];
  const { url } = await startBackend(t, (_request, response) => {
    times.push(performance.now());
    response.end('ok');
  });
  return { url, times };
}

test('three routers check each backend once an interval, also when one of them is killed', async (t) => {
  const redis = await startRedis(t);
  const patients = await Promise.all(Array.from({ length: 4 }, () => startPatient(t)));
  // Lists of their own: a router takes whole lists.
  for (const [i, { url }] of patients.entries()) {
    await redis.cli('rpush', `frontend:${i}.${SITE}`, 'site', url);
    await redis.cli('hset', `healthcheck:${i}.${SITE}`, 'path', '/', 'interval', '3', 'timeout', '1');
  }
  const routers = await Promise.all(
    Array.from({ length: 3 }, () =>
      startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` }, server: { workers: 2 } }),
    ),
  );
  const [first] = patients;
  assert.ok(first);
  await eventually(() => assert.ok(first.times.length >= 4), 30_000);
  routers[0]?.signal('SIGKILL');
  const killed = performance.now();
  await eventually(() => assert.ok(first.times.filter((time) => time > killed).length >= 4), 30_000);
  for (const [i, { times }] of patients.entries()) {
    // The first one may come before the list has its place in the interval.
    const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
    const said = `backend ${i}: ${gaps.map(Math.round).join(' ')}`;
    assert.ok(
      gaps.slice(1).every((gap) => gap > 1_800),
      `checked twice: ${said}`,
    );
    // One interval may be left out when the router that had the list is killed; a turn may be late.
    const long = gaps.slice(1).filter((gap) => gap > 4_200);
    assert.ok(long.length <= 1 && long.every((gap) => gap < 7_200), `left out: ${said}`);
  }
});

test('a router that ends as asked leaves its lists to the others', async (t) => {
  const redis = await startRedis(t);
  const patient = await startPatient(t);
  await redis.cli('rpush', `frontend:${SITE}`, 'site', patient.url);
  await redis.cli('hset', `healthcheck:${SITE}`, 'path', '/', 'interval', '2', 'timeout', '1');
  const config = { driver: `redis://127.0.0.1:${redis.port}` };
  const [one, two] = [await startRouter(t, { config }), await startRouter(t, { config })];
  await eventually(() => assert.ok(patient.times.length >= 2));
  await one.stop();
  const stopped = performance.now();
  await eventually(() => assert.ok(patient.times.filter((time) => time > stopped).length >= 2), 8_000);
  // A reload: the old worker's checks end, the new one's begin.
  two.signal('SIGHUP');
  await two.event('reloaded');
  const reloaded = performance.now();
  await eventually(() => assert.ok(patient.times.filter((time) => time > reloaded).length >= 2), 8_000);
});
