/**
 * Everything that sites depend on is killed, one after the other, while they are asked for: routers behind HAProxy as
 * docs/how-to/load-balancer.md has it, on Redis with Sentinels.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { recipe, startFleet } from '../support/fleet.ts';
import { noHaproxy, startHaproxy } from '../support/load-balancers.ts';
import { noProc, workersOf } from '../support/processes.ts';
import { freePort } from '../support/ports.ts';
import { startSentinels } from '../support/redis-sentinel.ts';
import { Visitors } from '../support/visitors.ts';

const HOSTS = Array.from({ length: 20 }, (_, i) => `site-${i}.test`);
/** How long requests go on after each kill, ms: longer than the checks of HAProxy take to see it. */
const AFTER_MS = 2_500;

const skip = noHaproxy || noProc;

test(
  'no request for a known host fails while a router, the Redis master, a Sentinel, and then all of Redis are killed',
  { skip },
  async (t) => {
    const backend = await startBackend(t, (request, response) => response.end(request.headers.host));
    const sentinels = await startSentinels(t);
    const master = await sentinels.master();
    for (const host of HOSTS) await master.cli('rpush', `frontend:${host}`, host, backend.url);
    await master.cli('wait', 1, 5_000);
    const { routers, addresses, port: ours, withOwn } = await startFleet(t, sentinels.url(), 2);
    const port = await freePort();
    const servers = await startHaproxy(t, port, withOwn(recipe('haproxy')));
    await eventually(
      async () => assert.ok([...(await servers()).values()].every(({ check }) => check === 'L7OK')),
      10_000,
    );
    // Known is what each router has been asked for.
    for (const address of addresses) {
      for (const host of HOSTS) assert.equal((await ask({ address, port: ours, host })).body, host);
    }
    const visitors = new Visitors(t, { port, hosts: HOSTS, perSecond: 50 });
    await delay(500);

    const [first, second, third] = routers;
    assert.ok(first && second && third);
    visitors.phase = 'a router was killed';
    first.signal('SIGKILL');
    await once(first.process, 'exit');
    await delay(AFTER_MS);

    visitors.phase = 'the master was killed';
    await master.kill();
    await sentinels.haveElected(master);
    await delay(AFTER_MS);

    visitors.phase = 'a Sentinel was killed';
    await sentinels.sentinels[0]?.kill();
    await delay(AFTER_MS);

    visitors.phase = 'all of Redis was killed';
    const seen = [second.log.length, third.log.length];
    await Promise.all([...sentinels.servers, ...sentinels.sentinels].map((redis) => redis.kill()));
    await Promise.all([second.event('store-down', seen[0]), third.event('store-down', seen[1])]);
    await delay(AFTER_MS);
    visitors.phase = 'a router was reloaded in the outage';
    second.signal('SIGHUP');
    await second.event('reloaded', seen[0]);
    visitors.phase = 'a worker was killed in the outage';
    const [worker] = workersOf(third);
    assert.ok(worker);
    process.kill(worker, 'SIGKILL');
    await third.event('worker-died', seen[1]);
    await delay(AFTER_MS);

    await visitors.leave();
    assert.deepEqual(visitors.faults, []);
    assert.ok(visitors.asked > 300, `${visitors.asked} requests`);
  },
);
