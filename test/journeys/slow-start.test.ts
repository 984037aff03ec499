/** `slowStart` of `options:<key>`: few requests for a backend that is new, or comes back. */
// @waits: for backends to be warm
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

const SECONDS = 4;
/** Of 33. */
const isEqual = (count: number): boolean => count >= 16 && count <= 17;

test('a backend that is added, or was dead, gets few requests at first', async (t) => {
  const redis = await startRedis(t);
  const [old, young] = await Promise.all([startBackend(t, says('old')), startBackend(t, says('young'))]);
  await redis.cli('rpush', 'frontend:site.test', 'site', old.url);
  await redis.cli('rpush', 'frontend:equal.test', 'site', old.url, young.url);
  for (const host of ['site.test', 'equal.test']) await redis.cli('hset', `options:${host}`, 'balance', 'roundrobin');
  await redis.cli('hset', 'options:site.test', 'slowStart', SECONDS);
  const router = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  /** How many of 33 requests the young one gets. */
  const ofYoung = async (host = 'site.test'): Promise<number> => {
    let count = 0;
    for (let i = 0; i < 33; i++) {
      if ((await ask({ port: router.port, host })).body === 'young') count++;
    }
    return count;
  };

  assert.equal(await ofYoung(), 0);
  await delay(SECONDS * 1_000);
  await redis.cli('rpush', 'frontend:site.test', young.url);
  // A part of 0.4 would be 9: a machine may stand still for a second.
  const added = await ofYoung();
  assert.ok(added > 0 && added < 13, `${added} of 33`);
  assert.ok(isEqual(await ofYoung('equal.test')), 'other sites have no slow start');

  await delay(SECONDS * 1_000);
  assert.ok(isEqual(await ofYoung()));
  await redis.cli('sadd', 'dead:site.test', '1');
  assert.equal(await ofYoung(), 0);
  await redis.cli('srem', 'dead:site.test', '1');
  const back = await ofYoung();
  assert.ok(back > 0 && back < 13, `${back} of 33`);
});
