/** Other servers than the system's: the same promises. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import type { RouteEditor } from '../../lib/store/editor/route-editor.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { fetchedServer } from '../support/redis-servers.ts';
import { startRedis } from '../support/redis.ts';
import { bookContract } from './book-contract.ts';
import { storeContract } from './contract.ts';
import { redisSetters } from './redis-setters.ts';
import { redisReplies } from './redis-replies.ts';
import { subjectOf } from './redis-subject.ts';

function open(t: TestContext, address: string): RouteEditor {
  const url = parseDriverUrl(address);
  const editor = openEditor(url, url, { timeoutMs: 3000 });
  t.after(() => editor.close());
  return editor;
}

for (const [name, version] of [
  ['redis-6', /redis_version:6\./],
  ['valkey-8', /valkey_version:8\./],
] as const) {
  const server = fetchedServer(name);
  if (typeof server === 'string') {
    void test(name, { skip: server });
    continue;
  }
  const redis = await startRedis({ after }, { server });
  void test(`${name} is what its name says`, async () => {
    assert.match(String(await redis.cli('info', 'server')), version);
  });
  storeContract(name, subjectOf(redis));
  redisReplies(name, redis);

  bookContract(`an editor on ${name}`, async (t) => {
    await redis.cli('flushall');
    const address = `redis://127.0.0.1:${redis.port}`;
    return { editor: open(t, address), other: open(t, address) };
  });

  // Redis 6.0 knows no rights for channels; later ones give none unless told.
  const rights = name === 'redis-6' ? '~* +@all -@scripting' : '~* &* +@all -@scripting';
  const plain = await startRedis({ after }, { server, lines: [`user plain on >pw ${rights}`] });
  storeContract(`${name} without scripts`, subjectOf(plain, 'plain:pw@'));

  const cluster = await startCluster({ after }, 2, 0, { server });
  bookContract(`an editor on ${name} as a cluster`, async (t) => {
    await cluster.flush();
    const address = `redis+cluster://127.0.0.1:${cluster.masters[0]?.port}`;
    return { editor: open(t, address), other: open(t, address) };
  });
  storeContract(`${name} as a cluster`, async (t) => {
    await cluster.flush();
    const url = parseDriverUrl(`redis+cluster://127.0.0.1:${cluster.masters[0]?.port}`);
    assert.ok(url.scheme === 'redis');
    const store = new RedisStore({ read: url.redis, write: url.redis, timeoutMs: 2000, notify: () => {} });
    t.after(() => store.close());
    return {
      store,
      ...redisSetters((...command) => cluster.cli(...command)),
    };
  });
}
