/** A mark is for a backend, not for a place in a list: platforms remove backends, and the others move up. */
// @one-lane: the store decides which backends of a list are marked, and both lanes get the same route from it
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { type Answer, ask } from '../support/client.ts';
import { deathsOf } from '../support/deaths.ts';
import { eventually } from '../support/eventually.ts';
import { fileOwner } from '../support/file-owner.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Owner, type Router, startRouter } from '../support/router.ts';

/** A router with a site of a test's own. */
interface Scene {
  readonly redis: TestRedis;
  readonly router: Router;
  readonly host: string;
}

const file = fileOwner();
const MODES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'asked on each request': {},
  'with push': { cache: { mode: 'push' } },
  'without a memory': { cache: { maxStale: 0 } },
};

async function start(owner: Owner, cache: Readonly<Record<string, unknown>>): Promise<Omit<Scene, 'host'>> {
  const redis = await startRedis(owner);
  const router = await startRouter(owner, { config: { driver: `redis://127.0.0.1:${redis.port}`, ...cache } });
  return { redis, router };
}

let sites = 0;

/** A site that no other test has. */
async function siteOn(started: Omit<Scene, 'host'>, urls: readonly string[]): Promise<Scene> {
  const host = `site-${++sites}.test`;
  await started.redis.cli('rpush', `frontend:${host}`, 'site', ...urls);
  return { ...started, host };
}

function askAt({ router, host }: Scene): Promise<Answer> {
  return ask({ port: router.port, host });
}

/** Asks until the first backend of the list is marked. */
async function untilMarked(scene: Scene): Promise<void> {
  await eventually(async () => {
    assert.equal((await askAt(scene)).status, 200);
    assert.deepEqual(await scene.redis.cli('smembers', `dead:${scene.host}`), ['0']);
  });
}

for (const [mode, cache] of Object.entries(MODES)) {
  let shared: Promise<Omit<Scene, 'host'>> | undefined;
  const siteHere = async (urls: readonly string[]): Promise<Scene> =>
    siteOn(await (shared ??= start(file, cache)), urls);

  test(`${mode}: the dead backend of two is removed with LREM, and the other one serves`, async (t) => {
    const good = await startBackend(t, says('good'));
    const bad = refusingUrl();
    const scene = await siteHere([bad, good.url]);
    const { redis, host } = scene;
    await untilMarked(scene);
    for (let i = 0; i < 10; i++) assert.equal((await askAt(scene)).status, 200);
    await redis.cli('lrem', `frontend:${host}`, 1, bad);
    for (let i = 0; i < 10; i++) assert.equal((await askAt(scene)).body, 'good', `request ${i}`);
    assert.deepEqual(await redis.cli('smembers', `dead:${host}`), ['0'], 'the mark is still there');
  });

  test(`${mode}: the dead backend of three is removed, and both others serve`, async (t) => {
    const [one, two] = await Promise.all([startBackend(t, says('one')), startBackend(t, says('two'))]);
    const bad = refusingUrl();
    const scene = await siteHere([bad, one.url, two.url]);
    const { redis, host } = scene;
    await untilMarked(scene);
    await redis.cli('lrem', `frontend:${host}`, 1, bad);
    const bodies = new Set<string>();
    for (let i = 0; i < 40; i++) bodies.add((await askAt(scene)).body);
    assert.deepEqual([...bodies].toSorted(), ['one', 'two']);
  });

  test(`${mode}: a list that is written anew has none of its old marks`, async (t) => {
    const [one, two] = await Promise.all([startBackend(t, says('one')), startBackend(t, says('two'))]);
    const scene = await siteHere([refusingUrl(), one.url]);
    const { redis, host } = scene;
    await untilMarked(scene);
    await redis.client().multi().del(`frontend:${host}`).rpush(`frontend:${host}`, 'site', two.url, one.url).exec();
    const bodies = new Set<string>();
    for (let i = 0; i < 40; i++) bodies.add((await askAt(scene)).body);
    assert.deepEqual([...bodies].toSorted(), ['one', 'two']);
  });

  test(`${mode}: a mark without a URL counts for whatever is at its place, as ever`, async (t) => {
    const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((name) => startBackend(t, says(name))));
    assert.ok(one && two && three);
    const scene = await siteHere([one.url, two.url, three.url]);
    const { redis, host } = scene;
    await redis.cli('sadd', `dead:${host}`, 0);
    await redis.cli('lrem', `frontend:${host}`, 1, one.url);
    const look = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) assert.equal((await askAt(scene)).body, 'three');
    };
    // In mode push Redis reports the change a moment later.
    await (mode === 'with push' ? eventually(look) : look());
  });

  test(`${mode}: a list of one backend is served whatever is marked`, async (t) => {
    const one = await startBackend(t, says('one'));
    const scene = await siteHere([one.url]);
    const { redis, host } = scene;
    await redis.cli('sadd', `dead:${host}`, 0);
    for (let i = 0; i < 10; i++) assert.equal((await askAt(scene)).body, 'one');
  });
}

test('the URL of a mark lives as long as the mark', async (t) => {
  const good = await startBackend(t, says('good'));
  const bad = refusingUrl();
  const scene = await siteOn(await start(t, {}), [bad, good.url]);
  const { redis, host } = scene;
  await untilMarked(scene);
  assert.deepEqual(await redis.cli('hgetall', `marks:${host}`), { 0: bad });
  // At the same moment.
  const ttls = await redis.client().multi().pttl(`dead:${host}`).pttl(`marks:${host}`).exec();
  const [mark = 0, url = 0] = (ttls ?? []).map(([, ttl]) => Number(ttl));
  assert.ok(mark > 0 && Math.abs(mark - url) < 1_000, `${mark} and ${url} ms`);
});

test('a user without a right to marks: files marks as before', async (t) => {
  const lines = [
    'user default on nopass ~* &* +@all',
    'user old on >pw ~frontend:* ~dead:* ~prefixes:* ~options:* ~errors:* ~tls:* ~hchecker_ping &dead +@all',
  ];
  const redis = await startRedis(t, { lines });
  const good = await startBackend(t, says('good'));
  const bad = refusingUrl();
  const router = await startRouter(t, { config: { driver: `redis://old:pw@127.0.0.1:${redis.port}` } });
  const scene = await siteOn({ redis, router }, [bad, good.url]);
  const { host } = scene;
  await untilMarked(scene);
  assert.equal(await redis.cli('exists', `marks:${host}`), 0);
  for (let i = 0; i < 10; i++) assert.equal((await askAt(scene)).body, 'good');
  assert.equal(deathsOf(router, host).length, 1);
  assert.deepEqual(
    router.log.filter(({ event }) => event === 'death-unfiled'),
    [],
  );
});
