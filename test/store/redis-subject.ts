import type { TestContext } from 'node:test';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { Notices } from '../support/notices.ts';
import type { TestRedis } from '../support/redis.ts';
import type { Subject } from './contract.ts';
import { redisSetters } from './redis-setters.ts';

/** A RedisStore on one server, closed after the test. `rest` is what follows the port in the driver URL. */
export function openRedis(t: TestContext, redis: TestRedis, userinfo = '', rest = '', timeoutMs = 10_000) {
  const address = redis.address(userinfo, rest);
  const notices = new Notices();
  const store = new RedisStore({ read: address, write: address, timeoutMs, notify: notices.notify });
  t.after(() => store.close());
  return { store, notices };
}

/** An emptied server as the contract wants it. */
export function subjectOf(redis: TestRedis, userinfo = '', prefix = '') {
  return async (t: TestContext): Promise<Subject> => {
    await redis.cli('flushall');
    return {
      store: openRedis(t, redis, userinfo, prefix === '' ? '' : `/0#${prefix}`).store,
      ...redisSetters((name, ...args) => redis.cli(name, ...args), prefix),
    };
  };
}
