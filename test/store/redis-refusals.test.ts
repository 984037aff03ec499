/** Servers, users' rights and proxies refuse commands in many words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { isCommandRefused, isScriptRefused } from '../../lib/store/redis-client/refusals.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { fakeRedis } from '../support/fake-redis.ts';
import { Notices } from '../support/notices.ts';
import { die, find } from './contract.ts';

const REFUSALS = [
  "ERR unknown command 'evalsha', with args beginning with: ",
  'ERR unknown command `EVALSHA`, with args beginning with: ',
  'ERR unsupported command',
  "ERR unsupported command 'EVALSHA'",
  'ERR Unsupported Redis command evalsha',
  'unsupported command',
  'invalid request',
  "ERR handle request, command 'EVALSHA' is not allowed",
  'ERR command EVALSHA is not supported by this proxy',
  'ERR Command is not available: EVALSHA',
  'ERR not supported',
  'ERR This instance has scripting commands disabled',
  'ERR This instance has disabled command EVALSHA',
  'ERR command disabled',
  "NOPERM this user has no permissions to run the 'evalsha' command or its subcommand",
  "NOPERM User router has no permissions to run the 'evalsha' command",
  'NOPERM No permissions to access a key',
  'NOPERM this user has no permissions to access one of the keys used as arguments',
];

const STATES = [
  'LOADING Redis is loading the dataset in memory',
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  "READONLY You can't write against a read only replica.",
  "OOM command not allowed when used memory > 'maxmemory'.",
  'CLUSTERDOWN The cluster is down',
  'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk. Commands that may modify the data set are disabled',
  'NOREPLICAS Not enough good replicas to write.',
  'NOAUTH Authentication required.',
  'WRONGPASS invalid username-password pair or user is disabled.',
  'ERR operation not permitted',
  'ERR invalid password',
  'ERR max number of clients reached',
];

for (const words of REFUSALS) {
  test(`"${words}" refuses the command alone`, () => {
    assert.ok(isCommandRefused(new Error(words)));
    assert.ok(isScriptRefused(new Error(words)));
  });
}

for (const words of STATES) {
  test(`"${words}" is no refusal of the command`, () => {
    assert.ok(!isCommandRefused(new Error(words)));
    assert.ok(!isScriptRefused(new Error(words)));
  });
}

test('whatever else is wrong with a script, plain commands are tried', () => {
  for (const words of [
    "CROSSSLOT Keys in request don't hash to the same slot",
    'ERR Error running script (call to f_0): @user_script:1: attempt to call a nil value',
    'ERR Script attempted to access a non local key in a cluster node',
    'NOSCRIPT No matching script. Please use EVAL.',
  ]) {
    assert.ok(isScriptRefused(new Error(words)), words);
    assert.ok(!isCommandRefused(new Error(words)), words);
  }
});

function array(items: readonly string[]): string {
  return `*${items.length}\r\n${items.map((item) => `$${item.length}\r\n${item}\r\n`).join('')}`;
}

/** A server with one list, that refuses what it is told to. */
function lists(refused: ReadonlySet<string>, words: string) {
  const dead = new Set<string>();
  const elements = ['x', 'http://10.0.0.1', 'http://10.0.0.2'];
  return {
    dead,
    answer: (name: string, [key = '', ...args]: readonly string[]): string => {
      if (refused.has(name)) return `-${words}\r\n`;
      switch (name) {
        case 'lrange':
          return array(key === 'frontend:www.x.io' ? elements : []);
        case 'smembers':
          return array(key === 'dead:www.x.io' ? [...dead] : []);
        case 'sadd':
          dead.add(args[0] ?? '');
          return ':1\r\n';
        case 'hgetall':
        case 'hmget':
          return array([]);
        case 'get':
        case 'hget':
          return '$-1\r\n';
        case 'ping':
        case 'select':
          return '+OK\r\n';
        default:
          return ':0\r\n';
      }
    },
  };
}

for (const words of [
  'ERR unsupported command',
  'NOPERM no permissions',
  'ERR this instance has it disabled, the command',
]) {
  test(`where scripts, transactions and channels are refused ("${words}"), routes are found and deaths filed`, async (t) => {
    const { dead, answer } = lists(new Set(['get', 'evalsha', 'eval', 'multi', 'exec', 'publish']), words);
    const fake = await fakeRedis(t, answer);
    const url = parseDriverUrl(`redis://127.0.0.1:${fake.port}`);
    assert.ok(url.scheme === 'redis');
    const notices = new Notices();
    const store = new RedisStore({ read: url.redis, write: url.redis, timeoutMs: 1000, notify: notices.notify });
    t.after(() => store.close());
    await store.ready();
    const route = await find(store, 'www.x.io');
    assert.equal(route?.backends.length, 2);
    assert.equal(await die(store, 'www.x.io', 0, 30), 'marked');
    assert.deepEqual([...dead], ['0']);
    assert.match((await notices.next('route-fault')).fault, /cannot be announced/);
    assert.equal(await die(store, 'www.x.io', 1, 30), 'last');
  });
}
