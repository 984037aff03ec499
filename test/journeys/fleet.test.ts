/** Routers of one Redis see each other by their heartbeats. */
// @one-lane: it is about heartbeats
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FleetAnswer, FleetRouter } from '../../lib/admin/answers.ts';
import { adminOf, askAdmin } from '../support/admin.ts';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { hipache } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';

async function fleetOf(router: Router): Promise<readonly FleetRouter[]> {
  return ((await askAdmin(await adminOf(router), '/api/v1/fleet')).json as FleetAnswer).routers;
}

test('each router is in the fleet while it runs, and leaves it when it stops', async (t) => {
  const redis = await startRedis(t);
  const config = { driver: `redis://127.0.0.1:${redis.port}` };
  const admin = `${temporaryFolder(t)}/admin.sock`;
  const [router, other] = await Promise.all([
    startRouter(t, { config: { ...config, admin }, server: { workers: 2 } }),
    // Heartbeats need no admin interface.
    startRouter(t, { config }),
  ]);
  const [own, theirs] = [router.process.pid, other.process.pid];
  await eventually(async () => {
    const fleet = await fleetOf(router);
    const workers = new Map(fleet.map((each) => [each.pid, each]));
    assert.deepEqual([workers.get(own ?? 0)?.workers, workers.get(theirs ?? 0)?.workers], [2, 1]);
    for (const each of fleet) {
      assert.equal(each.silent, 0);
      // Redis runs on this machine; the machine is busy.
      assert.ok(Math.abs(each.clockSkew ?? Infinity) < 5, String(each.clockSkew));
      assert.ok(Date.parse(each.since) <= Date.now());
    }
  });
  const backend = await startBackend(t, says('ok'));
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  await redis.cli('hset', 'options:site.test', 'maxConn', '10');
  await eventually(async () => {
    assert.equal((await ask({ port: other.port })).status, 200);
    const leased = (await fleetOf(router)).map(({ pid, permits, queued }) => [pid, permits > 0, queued]);
    assert.deepEqual(new Map(leased.map(([pid, ...rest]) => [pid, rest])).get(theirs ?? 0), [true, 0]);
  });
  const { stdout, status } = await hipache(['top', '--fleet', '--once', '-c', `${router.folder}/config.json`]);
  assert.equal(status, 0);
  assert.match(stdout, /^2 routers, 3 workers\n/);
  assert.match(stdout, new RegExp(` ${theirs} +\\d+\\.\\d+\\.\\d+ +1 `));
  await other.stop();
  assert.deepEqual(
    (await fleetOf(router)).map(({ pid }) => pid),
    [own],
  );
  await router.stop();
  assert.equal(await redis.cli('exists', 'routers'), 0);
});

test('with a routes file the fleet is the one router', async (t) => {
  const router = await startRouter(t, {
    routes: {},
    server: { workers: 2 },
    config: { admin: `${temporaryFolder(t)}/admin.sock` },
  });
  const [only, ...others] = await fleetOf(router);
  assert.deepEqual([only?.pid, only?.workers, only?.clockSkew, others], [router.process.pid, 2, null, []]);
});
