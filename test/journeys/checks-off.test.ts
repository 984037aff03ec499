// @one-lane: checks are made beside the lanes, which see their marks as those of any router
// @waits: for the intervals of checks, a second each
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../support/client.ts';
import { OFTEN_ARGS, startPatient } from '../support/patients.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

const SITE = 'site.test';

test('with server.checks false a router makes no checks, and the marks of others count for it', async (t) => {
  // A router that asks for checks as this user says so at once.
  const rights =
    '~frontend:* ~dead:* ~marks:* ~trial:* ~options:* ~headers:* ~weights:* ~prefixes:* ~hchecker_ping &* +@all';
  const redis = await startRedis(t, { lines: [`user reads on >pw ${rights}`] });
  const [good, bad] = [await startPatient(t, 'good'), await startPatient(t, 'bad')];
  bad.isIll = true;
  await redis.cli('rpush', `frontend:${SITE}`, 'site', good.url, bad.url);
  await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
  const driver = `redis://reads:pw@127.0.0.1:${redis.port}`;
  const quiet = await startRouter(t, { config: { driver }, server: { checks: false } });
  const other = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  await other.event('check-failed');
  for (let i = 0; i < 20; i++) assert.equal((await ask(quiet)).body, 'good');
  assert.deepEqual(
    quiet.log.filter(({ event }) => String(event).startsWith('check')),
    [],
  );
  // The user is one of whom that would have been said.
  const asking = await startRouter(t, { config: { driver } });
  await asking.event('checks-off');
});
