/** `hipache route deploy`: three routers of one Redis take new backends without a failed request. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, get, type Server } from 'node:http';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeployAnswer, FleetAnswer, WorkersAnswer } from '../../lib/admin/answers.ts';
import { adminOf, askAdmin } from '../support/admin.ts';
import { type RunningBackend, startBackend } from '../support/backends.ts';
import { gathered, hipache, type Outcome, PROGRAM } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { fileOwner } from '../support/file-owner.ts';
import { guard } from '../support/guard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Owner, type Router, startRouter, temporaryFolder } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

const owner = fileOwner();
let scene: Promise<{ readonly redis: TestRedis; readonly routers: readonly Router[] }> | null = null;

/** Three routers of one Redis, for all tests of this file. */
function fleet() {
  scene ??= (async () => {
    const redis = await startRedis(owner);
    const driver = `redis://127.0.0.1:${redis.port}`;
    const admin = { bind: '127.0.0.1', port: 0 };
    const start = (mode: string, workers: number): Promise<Router> =>
      startRouter(owner, { server: { workers }, config: { driver, admin, cache: { mode } } });
    return { redis, routers: await Promise.all([start('push', 2), start('push', 1), start('request', 1)]) };
  })();
  return scene;
}

const driverOf = (redis: TestRedis): readonly string[] => ['--driver', `redis://127.0.0.1:${redis.port}`];

const says = (t: Owner, text: string, status = 200): Promise<RunningBackend<Server>> =>
  startBackend(t, (_request, response) => void response.writeHead(status).end(text));

/** Requests to all routers, some at a time, until they are stopped. */
function traffic(routers: readonly Router[], host: string) {
  const ending = new AbortController();
  const answers = new Map<string, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const note = (answer: string): void => void answers.set(answer, (answers.get(answer) ?? 0) + 1);
  const one = async (port: number): Promise<void> => {
    while (!ending.signal.aborted) {
      note(await ask(port, host, agent));
      await delay(5);
    }
  };
  const work = Promise.all(routers.flatMap(({ port }) => [one(port), one(port)]));
  return {
    answers,
    stop: async () => {
      ending.abort();
      await work;
      agent.destroy();
      return answers;
    },
  };
}

/** Status and body of a response, or the error. */
function ask(port: number, host: string, agent: Agent | false = false): Promise<string> {
  return new Promise((resolve) => {
    get({ port, host: '127.0.0.1', headers: { Host: host }, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('end', () => resolve(`${response.statusCode} ${text}`));
    }).once('error', (error) => resolve(error.message));
  });
}

async function deploy(redis: TestRedis, ...argv: readonly string[]): Promise<Outcome> {
  return await hipache(['route', 'deploy', ...argv, ...driverOf(redis)]);
}

const listOf = async (redis: TestRedis, host: string): Promise<unknown> =>
  await redis.cli('lrange', `frontend:${host}`, 0, -1);

async function eventuallyHas(answers: ReadonlyMap<string, number>, answer: string): Promise<void> {
  await eventually(() => assert.ok(answers.has(answer), answer));
}

/** The process id of a router's only worker. */
async function workerOf(router: Router): Promise<number> {
  const { json } = await askAdmin(await adminOf(router), '/api/v1/workers');
  return (json as WorkersAnswer).workers[0]?.pid ?? Number.NaN;
}

/** A deploy that is under way. */
function begin(t: Owner, argv: readonly string[]) {
  const child = spawn(process.execPath, [PROGRAM, 'route', 'deploy', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  guard(child);
  t.after(() => child.kill());
  const [stdout, stderr] = [gathered(child.stdout), gathered(child.stderr)];
  const closed = once(child, 'close') as Promise<[number | null]>;
  return { child, stdout, stderr, ended: closed.then(([status]) => status) };
}

test('a deploy under load fails no request: old backends are idle and new ones are used by all routers at its end', async (t) => {
  const { redis, routers } = await fleet();
  const host = 'www.deploy.io';
  const [old, other, fresh] = await Promise.all([says(t, 'old'), says(t, 'other'), says(t, 'new')]);
  await redis.cli('rpush', `frontend:${host}`, 'site', old.url, other.url);
  await redis.cli('sadd', `dead:${host}`, 1);
  const load = traffic(routers, host);
  t.after(() => load.stop());
  await eventuallyHas(load.answers, '200 old');
  const { status, stdout, stderr } = await deploy(redis, host, fresh.url);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /3 of 3 routers use the list with the new backends\n/);
  assert.match(stdout, new RegExp(`draining: ${old.url} has 0 in flight, ${other.url} has 0 in flight\n`));
  assert.match(stdout, /3 of 3 routers use the new list\nwww\.deploy\.io: deployed\n$/);
  assert.deepEqual(await listOf(redis, host), ['site', fresh.url]);
  assert.equal(await redis.cli('exists', `weights:${host}`), 0);
  assert.equal(await redis.cli('exists', `epoch:${host}`), 0);
  // The dead mark was for another backend at this position.
  assert.equal(await redis.cli('exists', `dead:${host}`), 0);
  for (const { port } of routers) assert.equal(await ask(port, host), '200 new');
  const answers = await load.stop();
  assert.deepEqual(
    [...answers.keys()].filter((answer) => !/^200 (?:old|other|new)$/.test(answer)),
    [],
  );
});

// Each has a frontend of its own, and mostly waits.
suite('at the same time', { concurrency: true }, () => {
  test('a backend that fails its check stops the deploy before anything changes', async (t) => {
    const { redis } = await fleet();
    const host = 'www.check.io';
    const [old, broken] = await Promise.all([says(t, 'old'), says(t, 'broken', 503)]);
    await redis.cli('rpush', `frontend:${host}`, 'site', old.url);
    const { status, stderr } = await deploy(redis, host, broken.url, '--check', '/health');
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`${broken.url}: .*503.*; nothing was changed`));
    assert.deepEqual(await listOf(redis, host), ['site', old.url]);
  });

  test('an old backend leaves the list when its last request has ended', async (t) => {
    const { redis, routers } = await fleet();
    const host = 'www.slow.io';
    const held: (() => void)[] = [];
    const slow = await startBackend(t, (_request, response) => void held.push(() => response.end('slow')));
    const fresh = await says(t, 'new');
    await redis.cli('rpush', `frontend:${host}`, 'site', slow.url);
    const answer = ask(routers[1]?.port ?? 0, host);
    await eventually(() => assert.equal(held.length, 1));
    const deploying = begin(t, [host, fresh.url, ...driverOf(redis)]);
    await eventually(() => assert.match(deploying.stdout(), new RegExp(`draining: ${slow.url} has 1 in flight`)));
    assert.equal(await ask(routers[0]?.port ?? 0, host), '200 new');
    assert.deepEqual(await listOf(redis, host), ['site', slow.url, fresh.url]);
    assert.equal(await redis.cli('hget', `weights:${host}`, slow.url), '0');
    for (const end of held) end();
    assert.equal(await answer, '200 slow');
    assert.equal(await deploying.ended, 0, deploying.stderr());
    assert.deepEqual(await listOf(redis, host), ['site', fresh.url]);
  });

  test('a second deploy of a frontend is refused while the first is under way', async (t) => {
    const { redis, routers } = await fleet();
    const host = 'www.twice.io';
    const held: (() => void)[] = [];
    const slow = await startBackend(t, (_request, response) => void held.push(() => response.end('slow')));
    const fresh = await says(t, 'new');
    await redis.cli('rpush', `frontend:${host}`, 'site', slow.url);
    const answer = ask(routers[0]?.port ?? 0, host);
    await eventually(() => assert.equal(held.length, 1));
    const first = begin(t, [host, fresh.url, ...driverOf(redis)]);
    await eventually(() => assert.match(first.stdout(), /has 1 in flight/));
    const { status, stderr } = await deploy(redis, host, slow.url);
    assert.equal(status, 1);
    assert.match(stderr, /www\.twice\.io is being deployed already, by process \d+ on /);
    for (const end of held) end();
    assert.equal(await answer, '200 slow');
    assert.equal(await first.ended, 0);
  });

  test('WebSockets to old backends end within --drain, those to others stay', async (t) => {
    const { redis, routers } = await fleet();
    const [old, stays, fresh] = await Promise.all([startWebSocketBackend(t), startWebSocketBackend(t), says(t, 'new')]);
    const host = 'www.socket.io';
    await redis.cli('rpush', `frontend:${host}`, 'site', old.url);
    await redis.cli('rpush', 'frontend:stays.socket.io', 'site', stays.url);
    const url = `ws://127.0.0.1:${routers[0]?.port}/`;
    const [client, other] = [openWebSocket(t, url, host), openWebSocket(t, url, 'stays.socket.io')];
    await Promise.all([once(client, 'open'), once(other, 'open')]);
    const closed = once(client, 'close');
    const { status, stdout, stderr } = await deploy(redis, host, fresh.url, '--drain', '2');
    assert.equal(status, 0, stderr);
    assert.match(stdout, new RegExp(`draining: ${old.url} has 1 in flight`));
    await closed;
    assert.equal(other.readyState, other.OPEN);
    assert.deepEqual(await listOf(redis, host), ['site', fresh.url]);
  });

  test('with --rollback-on the former list and weights come back when new backends fail', async (t) => {
    const { redis, routers } = await fleet();
    const host = 'www.back.io';
    const [old, other, broken] = await Promise.all([says(t, 'old'), says(t, 'other'), says(t, 'broken', 500)]);
    await redis.cli('rpush', `frontend:${host}`, 'site', old.url, other.url);
    await redis.cli('hset', `weights:${host}`, other.url, '50 eu-1');
    const load = traffic(routers, host);
    t.after(() => load.stop());
    await eventuallyHas(load.answers, '200 old');
    const { status, stderr } = await deploy(redis, host, broken.url, '--rollback-on', '10%');
    assert.equal(status, 1);
    assert.match(
      stderr,
      /\d+ of \d+ requests to the new backends failed, more than 10%; the former list and weights are back, all routers use it/,
    );
    assert.deepEqual(await listOf(redis, host), ['site', old.url, other.url]);
    assert.deepEqual(await redis.cli('hget', `weights:${host}`, other.url), '50 eu-1');
    assert.equal(await redis.cli('hlen', `weights:${host}`), 1);
  });

  test('the API deploys, says where it is, and lists the fleet', async (t) => {
    const { redis, routers } = await fleet();
    const host = '*.api.io';
    const [old, fresh] = await Promise.all([says(t, 'old'), says(t, 'new')]);
    await redis.cli('rpush', `frontend:${host}`, 'site', old.url);
    const [first] = routers;
    assert.ok(first);
    const address = await adminOf(first);
    const path = `/api/v1/frontends/${encodeURIComponent(host)}/deploy`;
    assert.equal((await askAdmin(address, path)).status, 404);
    const { status, json } = await askAdmin(address, path, {
      method: 'POST',
      body: { backends: [fresh.url], drain: 5 },
    });
    assert.equal(status, 202);
    assert.equal((json as DeployAnswer).endedAt, null);
    assert.equal((await askAdmin(address, path, { method: 'POST', body: { backends: [fresh.url] } })).status, 409);
    const done = await eventually(async () => {
      const answer = (await askAdmin(address, path)).json as DeployAnswer;
      assert.ok(answer.endedAt !== null);
      return answer;
    });
    assert.equal(done.phase, 'done', done.text);
    assert.equal(await ask(first.port, 'www.api.io'), '200 new');
    const bad = await askAdmin(address, path, { method: 'POST', body: { backends: [fresh.url], wait: -1 } });
    assert.equal(bad.status, 400);
    const { routers: shown } = (await askAdmin(address, '/api/v1/fleet')).json as FleetAnswer;
    assert.deepEqual(
      shown.map(({ pid, workers }) => `${pid} ${workers}`).toSorted(),
      routers.map(({ process: { pid } }, i) => `${pid} ${i === 0 ? 2 : 1}`).toSorted(),
    );
    for (const { clockSkew, version } of shown) {
      assert.ok(Math.abs(clockSkew ?? Infinity) < 5);
      assert.match(version, /^\d/);
    }
  });

  test('with a routes file the router itself deploys', async (t) => {
    const [old, fresh] = await Promise.all([says(t, 'old'), says(t, 'new')]);
    const router = await startRouter(t, {
      routes: { 'www.file.io': ['site', old.url] },
      server: { workers: 2 },
      config: { admin: `${temporaryFolder(t)}/admin.sock` },
    });
    await adminOf(router);
    const config = `${router.folder}/config.json`;
    const { status, stdout, stderr } = await hipache(['route', 'deploy', 'www.file.io', fresh.url, '-c', config]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /\nwww\.file\.io: deployed\n$/);
    assert.equal(await ask(router.port, 'www.file.io'), '200 new');
    const routes = JSON.parse(readFileSync(`${router.folder}/routes.json`, 'utf8')) as unknown;
    assert.deepEqual(routes, { 'www.file.io': ['site', fresh.url] });
    const without = await hipache([
      'route',
      'deploy',
      'www.file.io',
      old.url,
      '--driver',
      `file:${router.folder}/routes.json`,
    ]);
    assert.equal(without.status, 1);
    assert.match(without.stderr, /needs the router/);
  });
});

test('a deploy goes on after a Redis that was away for some seconds', async (t) => {
  const { redis, routers } = await fleet();
  const host = 'www.away.io';
  const held: (() => void)[] = [];
  const slow = await startBackend(t, (_request, response) => void held.push(() => response.end('slow')));
  const fresh = await says(t, 'new');
  await redis.cli('rpush', `frontend:${host}`, 'site', slow.url);
  const answer = ask(routers[0]?.port ?? 0, host);
  await eventually(() => assert.equal(held.length, 1));
  const deploying = begin(t, [host, fresh.url, ...driverOf(redis)]);
  await eventually(() => assert.match(deploying.stdout(), /has 1 in flight/));
  redis.pause();
  // Longer than a command may take.
  await delay(3_000);
  redis.resume();
  for (const end of held) end();
  assert.equal(await answer, '200 slow');
  assert.equal(await deploying.ended, 0, deploying.stderr());
  assert.deepEqual(await listOf(redis, host), ['site', fresh.url]);
});

test('a router that hangs is named, and the deploy goes on when it is repeated', async (t) => {
  const { redis, routers } = await fleet();
  const host = 'www.hangs.io';
  const [old, fresh] = await Promise.all([says(t, 'old'), says(t, 'new')]);
  await redis.cli('rpush', `frontend:${host}`, 'site', old.url);
  const hanging = routers[2];
  assert.ok(hanging);
  const pid = await workerOf(hanging);
  process.kill(pid, 'SIGSTOP');
  t.after(() => process.kill(pid, 'SIGCONT'));
  const { status, stderr } = await deploy(redis, host, fresh.url, '--wait', '3');
  process.kill(pid, 'SIGCONT');
  assert.equal(status, 1);
  const name = `the router on .* \\(master ${hanging.process.pid}\\), worker ${pid}`;
  assert.match(stderr, new RegExp(`not acknowledged within 3 s by ${name}: .*; old and new backends are in the list`));
  assert.doesNotMatch(stderr, new RegExp(`master ${routers[0]?.process.pid}\\b`));
  assert.deepEqual(await listOf(redis, host), ['site', old.url, fresh.url]);
  const again = await deploy(redis, host, fresh.url);
  assert.equal(again.status, 0, again.stderr);
  assert.deepEqual(await listOf(redis, host), ['site', fresh.url]);
});
