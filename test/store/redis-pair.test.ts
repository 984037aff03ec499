import { after } from 'node:test';
import { RedisStore } from '../../lib/store/redis/store.ts';
import type { RouteStore } from '../../lib/store/store.ts';
import { startRedis } from '../support/redis.ts';
import { storeContract } from './contract.ts';
import { redisSetters } from './redis-setters.ts';

const PASSWORD = 'wr:it@e';
const master = await startRedis({ after }, { password: PASSWORD });
const replica = await startRedis(
  { after },
  { lines: [`replicaof 127.0.0.1 ${master.port}`, `masterauth ${PASSWORD}`] },
);

storeContract('redis, a replica to read and a master to write', async (t) => {
  await write('flushall');
  const store = new RedisStore({
    read: replica.address(),
    write: master.address(`:${PASSWORD}@`),
    timeoutMs: 2000,
    notify: () => {},
  });
  t.after(() => store.close());
  return {
    store: replicated(store),
    ...redisSetters(write),
  };
});

/** Writes, and waits until the replica has it. */
async function write(name: string, ...args: string[]): Promise<void> {
  await master.cli(name, ...args);
  while ((await master.cli('wait', 1, 1000)) !== 1);
}

/** The store, with deaths that are known to the replica once they are filed. */
function replicated(store: RedisStore): RouteStore {
  return {
    remembered: { hosts: 0, bytes: 0 },
    peek: () => undefined,
    recollect: () => null,
    forget: () => 0,
    hasLastKnown: false,
    ownMarks: () => [],
    trials: store.trials,
    find: (candidates, path) => store.find(candidates, path),
    page: (keys, status) => store.page(keys, status),
    markDead: async (death, ttlSeconds) => {
      const marking = await store.markDead(death, ttlSeconds);
      await write('set', 'marker', '1');
      return marking;
    },
    get hasHealthChecker() {
      return store.hasHealthChecker;
    },
    ready: () => store.ready(),
    close: () => store.close(),
  };
}
