/**
 * Three routers behind HAProxy, as docs/how-to/load-balancer.md has it, on Redis with Sentinels, serve 100 sites at a steady rate.
 * All that may die is killed in turn and comes back: each router with its workers, first the one that is making an active
 * check; the Redis master; a Sentinel. test/journeys/chaos.test.ts has the loss of all of Redis.
 */
// @one-lane: it is about what processes share, and about what HAProxy does
// @alone: HAProxy and Sentinels count by the clock, and a rate is kept
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type Fleet, recipe, startFleet } from '../support/fleet.ts';
import { noHaproxy, startHaproxy } from '../support/load-balancers.ts';
import { freePort } from '../support/ports.ts';
import { clientOf, haveEnded, noProc, workersOf } from '../support/processes.ts';
import type { TestRedis } from '../support/redis.ts';
import { startSentinels } from '../support/redis-sentinel.ts';
import type { Router } from '../support/router.ts';
import { Visitors } from '../support/visitors.ts';

const HOSTS = Array.from({ length: 100 }, (_, i) => `site-${i}.test`);
/** What two cores carry beside the tests, the backends and HAProxy. */
const PER_SECOND = 200;
/** How long requests go on after Redis and a Sentinel have been killed, ms. */
const AFTER_MS = 2_000;
/** The site whose backend is checked. */
const CHECKED = HOSTS[0] ?? '';

/** Each site has a backend of its own, that responds with the site's name whatever it is asked. */
async function startSites(t: TestContext, master: TestRedis, onCheck: (clientPort: number) => void): Promise<void> {
  for (const host of HOSTS) {
    const respond = says(host);
    const backend = await startBackend(t, (request, response) => {
      if (request.headers['user-agent'] === 'hipache-check') onCheck(request.socket.remotePort ?? 0);
      respond(request, response);
    });
    await master.cli('rpush', `frontend:${host}`, host, backend.url);
  }
  await master.cli('hset', `healthcheck:${CHECKED}`, 'path', '/', 'interval', '1', 'timeout', '1');
  await master.cli('wait', 1, 5_000);
}

/** Asks a router for each site: these are the known ones from then on. */
async function learn({ port }: Fleet, address: string): Promise<void> {
  for (const host of HOSTS) assert.equal((await ask({ address, port, host })).body, host);
}

/** A power cut: the master process and its workers at once. */
async function killAll(router: Router): Promise<void> {
  const pids = [router.process.pid ?? 0, ...workersOf(router)];
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await haveEnded(pids);
}

/** How many workers have written a heartbeat to a Redis of this machine since then: those that have found it. */
async function beatsSince(redis: TestRedis, ms: number): Promise<number> {
  const beats = (await redis.cli('hvals', 'routers')) as readonly string[];
  return beats.filter((beat) => Number(beat.split(' ')[0]) > ms).length;
}

const skip = noHaproxy || noProc;

test(
  'no request for a known host fails or goes astray while each router, the one that checks, the Redis master and a Sentinel are killed',
  { skip },
  async (t) => {
    const sentinels = await startSentinels(t);
    const master = await sentinels.master();
    let onCheck: ((clientPort: number) => void) | null = null;
    await startSites(t, master, (clientPort) => onCheck?.(clientPort));
    const fleet = await startFleet(t, sentinels.url());
    const running = new Map(fleet.addresses.map((address, i) => [address, fleet.routers[i] as Router]));
    const port = await freePort();
    // The recipe's two seconds would make this test longer, and no other.
    const servers = await startHaproxy(t, port, fleet.withOwn(recipe('haproxy')).replace('inter 2s', 'inter 1s'));
    const haveChecks = async (...expected: readonly string[]): Promise<void> =>
      await eventually(async () => {
        assert.deepEqual(
          Array.from((await servers()).values(), ({ check }) => check),
          expected,
        );
      });
    await haveChecks('L7OK', 'L7OK', 'L7OK');
    for (const address of fleet.addresses) await learn(fleet, address);
    const visitors = new Visitors(t, { port, hosts: HOSTS, perSecond: PER_SECOND });
    await delay(500);

    /** Resolves with the address of the router that makes the next check. */
    const checker = (): Promise<string> =>
      new Promise((resolve) => {
        onCheck = (clientPort) => {
          const found = [...running].find(([, router]) => clientOf(clientPort, workersOf(router)) !== undefined);
          if (!found) return;
          onCheck = null;
          resolve(found[0]);
        };
      });
    const replace = async (address: string): Promise<void> => {
      const at = fleet.addresses.indexOf(address);
      await killAll(running.get(address) as Router);
      running.delete(address);
      await haveChecks(...fleet.addresses.map((_, i) => (i === at ? 'L4CON' : 'L7OK')));
      // Its checks are made by another one.
      assert.notEqual(await checker(), address);
      running.set(address, await fleet.startAt(address));
      await haveChecks('L7OK', 'L7OK', 'L7OK');
      await learn(fleet, address);
    };
    const first = await checker();
    for (const address of [first, ...fleet.addresses.filter((each) => each !== first)]) {
      visitors.phase = address === first ? 'the router that checks was killed' : `the router at ${address} was killed`;
      await replace(address);
    }

    visitors.phase = 'the Redis master was killed';
    const killedAt = Date.now();
    await master.kill();
    await sentinels.haveElected(master);
    const elected = await sentinels.master();
    await eventually(async () => assert.equal(await beatsSince(elected, killedAt), fleet.addresses.length));
    await checker();
    await delay(AFTER_MS);

    visitors.phase = 'a Sentinel was killed';
    await sentinels.sentinels[1]?.kill();
    await delay(AFTER_MS);

    await visitors.leave();
    t.diagnostic(`${visitors.asked} requests, the slowest took ${Math.round(visitors.slowestMs)} ms`);
    assert.deepEqual(visitors.wrong, []);
    assert.deepEqual(visitors.faults, []);
    assert.ok(visitors.asked > PER_SECOND * 10, `${visitors.asked} requests`);

    // What is edited from now on counts at once, in all routers.
    const [url] = (await elected.cli('lrange', `frontend:${CHECKED}`, 1, 1)) as readonly string[];
    await elected.cli('rpush', 'frontend:new.test', 'new', url ?? '');
    for (const address of fleet.addresses)
      assert.equal((await ask({ address, port: fleet.port, host: 'new.test' })).body, CHECKED);
  },
);
