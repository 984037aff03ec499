/** What is published on `dead`: the list's entry as it stands there, however the store is made up. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import type { RedisAddress } from '../../lib/core/routing/redis-address.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { startSentinels } from '../support/redis-sentinel.ts';
import { connectResp } from '../support/resp.ts';
import { die } from './contract.ts';

/** Entries, each with what is announced of it. */
const ENTRIES: readonly (readonly [entry: string, announced: string])[] = [
  'http://10.0.0.1:8080',
  'http://10.0.0.1',
  'http://10.0.0.1:80/',
  'http://10.0.0.1:80/app',
  'http://10.0.0.1:80/app/?a=b#c',
  'HTTP://Backend.x.io:80/App',
  'http://user:pw@10.0.0.1:80/',
  'https://backend.x.io/',
  'http://[2001:DB8::1]:80/',
  'http://bücher.example/ä',
  'http://[unix:/run/app.sock]/',
  'h2c://10.0.0.1:50051/',
  'h2://backend.x.io/',
].map((entry) => [entry, entry] as const);

/** Those that cannot be announced as they are. */
const ODD: typeof ENTRIES = [
  // White space around an entry counts nowhere.
  [' http://10.0.0.1:80/app\n', 'http://10.0.0.1:80/app'],
  // It would forge a field.
  ['http://10.0.0.1:80/a;b', 'http://10.0.0.1:80'],
  ['http://10.0.0.1:80/;0;1', 'http://10.0.0.1:80'],
  ['http://us;er@10.0.0.1/x', 'http://10.0.0.1'],
];

interface Subject {
  readonly store: RedisStore;
  /** The server that the announcements are heard from. */
  readonly heardFrom: TestRedis;
  readonly write: (name: string, key: string, ...args: string[]) => Promise<unknown>;
}

const plain = await startRedis({ after }, { lines: ['user plain on >pw ~* &* +@all -@scripting'] });
const cluster = await startCluster({ after }, 3);

for (const [what, open] of [
  ['one server', (t: TestContext) => onServer(t, plain, plain.address())],
  ['a server that refuses scripts', (t: TestContext) => onServer(t, plain, plain.address('plain:pw@'))],
  ['a prefix', (t: TestContext) => onServer(t, plain, plain.address('', '/0#site:'), 'site:')],
  ['a cluster', onCluster],
  ['a master that Sentinels name', onSentinels],
] as const) {
  test(`with ${what}, the entry is announced as it stands in the list`, { timeout: 60_000 }, async (t) => {
    const { store, heardFrom, write } = await open(t);
    const heard: string[] = [];
    const subscriber = await connectResp(t, heardFrom.port);
    subscriber.onMessage = (_channel, message) => heard.push(message);
    await subscriber.call('SUBSCRIBE', 'dead');
    const all = [...ENTRIES, ...ODD];
    // Another backend lives: the last one is never announced.
    await write('rpush', 'frontend:x.io', 'x', ...all.map(([entry]) => entry), 'http://10.0.0.9:80');
    for (const id of all.keys()) assert.equal(await die(store, 'x.io', id, 30), 'marked');
    const expected = all.map(([, announced], id) => `x.io;${announced};${id};${all.length + 1}`);
    await eventually(() => assert.deepEqual(heard, expected));
  });
}

for (const [what, ping, seconds] of [
  ['while a health checker lives', () => Math.floor(Date.now() / 1000), 30],
  ['where marks are for no time at all', () => 0, 0],
] as const) {
  test(`${what}, the entry is announced as it stands in the list`, async (t) => {
    const { store, write } = await onServer(t, plain, plain.address());
    await write('set', 'hchecker_ping', String(ping()));
    const heard: string[] = [];
    const subscriber = await connectResp(t, plain.port);
    subscriber.onMessage = (_channel, message) => heard.push(message);
    await subscriber.call('SUBSCRIBE', 'dead');
    await store.ready();
    await write('rpush', 'frontend:x.io', 'x', 'http://10.0.0.1:80/app/', 'http://10.0.0.9:80');
    assert.equal(await die(store, 'x.io', 0, seconds), 'announced');
    await eventually(() => assert.deepEqual(heard, ['x.io;http://10.0.0.1:80/app/;0;2']));
  });
}

async function onServer(t: TestContext, redis: TestRedis, address: RedisAddress, prefix = ''): Promise<Subject> {
  await redis.cli('flushall');
  const store = new RedisStore({ read: address, write: address, timeoutMs: 2000, notify: () => {} });
  t.after(() => store.close());
  const write: Subject['write'] = (name, key, ...args) => redis.cli(name, prefix + key, ...args);
  return { store, heardFrom: redis, write };
}

async function onCluster(t: TestContext): Promise<Subject> {
  await cluster.flush();
  const url = parseDriverUrl(`redis+cluster://127.0.0.1:${cluster.masters[0]?.port}`);
  assert.ok(url.scheme === 'redis');
  const store = new RedisStore({ read: url.redis, write: url.redis, timeoutMs: 2000, notify: () => {} });
  t.after(() => store.close());
  const [, heardFrom] = cluster.masters;
  assert.ok(heardFrom);
  return { store, heardFrom, write: (name, key, ...args) => cluster.cli(name, key, ...args) };
}

async function onSentinels(t: TestContext): Promise<Subject> {
  const redis = await startSentinels(t);
  const master = await redis.master();
  const url = parseDriverUrl(redis.url());
  assert.ok(url.scheme === 'redis');
  const store = new RedisStore({ read: url.redis, write: url.redis, timeoutMs: 5000, notify: () => {} });
  t.after(() => store.close());
  return { store, heardFrom: master, write: (...command) => master.cli(...command) };
}
