/** The values of sticky cookies, and where the secret comes from. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { StickySecret } from '../../lib/cluster/worker/sticky-secret.ts';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import type { Backend } from '../../lib/core/routing/types.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { startRedis } from '../support/redis.ts';

const OWN = 'o'.repeat(43);
const OTHER = 't'.repeat(43);

function backendAt(href: string): Backend {
  const parsed = parseBackend(href, 0);
  assert.ok('backend' in parsed);
  return parsed.backend;
}

const BACKEND = backendAt('http://10.0.0.1');

/** A clock and a store that a test sets. */
class Scene {
  time = 0;
  reply: string | null | Error = OTHER;
  readonly asked: string[] = [];
  readonly faults: string[] = [];
  readonly secret = new StickySecret(
    {
      own: OWN,
      shared: async (own) => {
        this.asked.push(own);
        if (this.reply instanceof Error) throw this.reply;
        return this.reply;
      },
    },
    () => this.time,
    (key) => this.faults.push(key),
  );

  get value(): string | null {
    return this.secret.valueOf(BACKEND, 'x.io');
  }
}

const withSecret = (own: string) =>
  new StickySecret(
    { own, shared: null },
    () => 0,
    () => {},
  );

test('a value is 128 bits, differs by secret, site and backend, and names none of them', () => {
  const value = withSecret(OWN).valueOf(BACKEND, 'x.io');
  assert.match(String(value), /^[\w-]{22}$/);
  const others = [
    withSecret(OTHER).valueOf(BACKEND, 'x.io'),
    withSecret(OWN).valueOf(BACKEND, 'y.io'),
    withSecret(OWN).valueOf(backendAt('http://10.0.0.2'), 'x.io'),
  ];
  assert.equal(new Set([value, ...others]).size, 4);
  assert.equal(withSecret(OWN).valueOf(backendAt('http://10.0.0.1'), 'x.io'), value, 'the same in all workers');
});

test('the shared secret counts once the store has told it', async () => {
  const scene = new Scene();
  assert.deepEqual([scene.secret.isReady(), scene.value], [false, null]);
  await scene.secret.ready();
  assert.deepEqual([scene.secret.isReady(), scene.value], [true, withSecret(OTHER).valueOf(BACKEND, 'x.io')]);
  assert.deepEqual(scene.asked, [OWN], 'asked once');
});

test('a store that does not reply is asked again after a second, and meanwhile there are no cookies', async () => {
  const scene = new Scene();
  scene.reply = new Error('silent');
  await scene.secret.ready();
  await scene.secret.ready();
  assert.deepEqual([scene.secret.isReady(), scene.value, scene.asked.length], [false, null, 1]);
  scene.reply = OTHER;
  scene.time = 1_001;
  await scene.secret.ready();
  assert.equal(scene.secret.isReady(), true);
});

test('where the store refuses, the router has its own, and says so', async () => {
  const scene = new Scene();
  scene.reply = null;
  await scene.secret.ready();
  assert.deepEqual([scene.value, scene.faults], [withSecret(OWN).valueOf(BACKEND, 'x.io'), ['secrets']]);
});

test('a store that has lost the secret gets it back, and another secret in it counts', async () => {
  const scene = new Scene();
  await scene.secret.ready();
  scene.time = 60_001;
  await scene.secret.ready();
  assert.deepEqual(scene.asked, [OWN, OTHER]);
  scene.reply = OWN;
  scene.time = 120_002;
  await scene.secret.ready();
  assert.equal(scene.value, withSecret(OWN).valueOf(BACKEND, 'x.io'));
  scene.reply = new Error('silent');
  scene.time = 180_003;
  await scene.secret.ready();
  assert.equal(scene.secret.isReady(), true, 'what is known goes on');
});

test('in Redis the first router makes the secret, and all have the same', async (t) => {
  const common = 'resetchannels +@all';
  const redis = await startRedis(
    { after },
    {
      lines: ['user default on nopass ~* &* +@all', `user none on >pw ${common} ~frontend:*`],
    },
  );
  const open = async (user = ''): Promise<RedisStore> => {
    const at = redis.address(user);
    const store = new RedisStore({ read: at, write: at, timeoutMs: 5_000, notify: () => {} });
    t.after(() => store.close());
    await store.ready();
    return store;
  };
  const [one, two] = await Promise.all([open(), open()]);
  const told = await Promise.all([one.secrets.sticky(OWN), two.secrets.sticky(OTHER)]);
  assert.equal(told[0], told[1]);
  assert.ok(told[0] === OWN || told[0] === OTHER);
  assert.deepEqual(await redis.cli('hgetall', 'secrets'), { sticky: told[0] });
  assert.equal(await (await open('none:pw@')).secrets.sticky(OWN), null);
  await redis.cli('hset', 'secrets', 'sticky', 'an-operator-has-chosen-this-long-secret');
  assert.equal(await one.secrets.sticky(OWN), 'an-operator-has-chosen-this-long-secret');
  await redis.cli('hset', 'secrets', 'sticky', 'short');
  assert.equal(await one.secrets.sticky(OWN), null);
});
