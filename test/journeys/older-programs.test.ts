/**
 * Hipache, older routers, PlanB and hipache-hchecker read `frontend:`, `dead:`, `healthcheck:`, `tls:`, `hchecker` and
 * `hchecker_ping` of the same Redis. Routers write nothing to those but marks.
 */
// @one-lane: keys of both lanes are written in one place
// @waits: for the intervals of checks, a second each
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

/** All other commands of routers change something. */
const READING = new Set(
  (
    'auth client eval evalsha exec exists get hello hget hgetall hlen hmget info llen lrange monitor multi ping pttl scan ' +
    'scard script select sismember smembers subscribe time type zcard zrangebyscore zscore'
  ).split(' '),
);
/** Keys that only routers have. */
const OWN = /^(?:(?:marks|trial|check|checked):(?:asked|checked)\.test|checks|secrets|routers)$/;
/** Marks as Hipache makes them: ids of two backends. */
const MARK = /^(?:(?:sadd|srem) dead:(?:asked|checked)\.test [01]|p?expire dead:(?:asked|checked)\.test \d+)$/;
const ANNOUNCEMENT = /^publish dead (?:asked|checked)\.test;http:[^; ]+;[01];2$/;

test('what routers note of trials, checks and clients is in keys that older programs do not read', async (t) => {
  const redis = await startRedis(t);
  const written: string[][] = [];
  const monitor = await redis.client().monitor();
  t.after(() => monitor.disconnect());
  // Not what this test writes, by its Unix socket.
  monitor.on('monitor', (_time: string, [command = '', ...args]: string[], source: string) => {
    if (!source.startsWith('unix:') && !READING.has(command.toLowerCase()))
      written.push([command.toLowerCase(), ...args]);
  });

  let isIll = true;
  const good = await startBackend(t, (_request, response) => response.end('good'));
  const other = await startBackend(t, (_request, response) => response.writeHead(isIll ? 502 : 200).end('other'));
  for (const host of ['asked.test', 'checked.test']) {
    await redis.cli('rpush', `frontend:${host}`, 'site', good.url, other.url);
    await redis.cli('hset', `options:${host}`, 'sticky', 'home', 'balance', 'leastconn');
    await redis.cli('hset', `weights:${host}`, other.url, '200');
  }
  const rules = ['path', '/', 'status', '200', 'interval', '1', 'timeout', '1', 'fall', '2', 'first', '1'];
  await redis.cli('hset', 'healthcheck:checked.test', ...rules);
  const config = { driver: `redis://127.0.0.1:${redis.port}` };
  const start = () => startRouter(t, { config, server: { deadBackendTTL: 1 } });
  const [{ port }] = await Promise.all([start(), start()]);

  const isWritten = (command: string, key: string) => written.some(([one, name]) => one === command && name === key);
  const until = (...writes: readonly (readonly [command: string, key: string])[]) =>
    eventually(async () => {
      for (const host of ['asked.test', 'checked.test']) await ask({ port, host });
      for (const [command, key] of writes) assert.ok(isWritten(command, key), `no ${command} ${key}`);
    });
  await until(
    ['sadd', 'dead:asked.test'],
    ['hset', 'marks:asked.test'],
    ['hset', 'trial:asked.test'],
    ['hset', 'check:checked.test'],
    ['sadd', 'checked:checked.test'],
    ['zadd', 'checks'],
    ['hsetnx', 'secrets'],
    ['publish', 'dead'],
  );
  isIll = false;
  // The trial, and the checks.
  await until(['hdel', 'trial:asked.test']);
  await eventually(async () => assert.equal(await redis.cli('scard', 'checked:checked.test'), 2));

  const others = written.filter(([, key = '']) => !OWN.test(key)).map((command) => command.join(' '));
  assert.deepEqual(
    others.filter((command) => !MARK.test(command) && !ANNOUNCEMENT.test(command)),
    [],
  );
  assert.ok(others.some((command) => MARK.test(command)) && others.some((command) => ANNOUNCEMENT.test(command)));
});
