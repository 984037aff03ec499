import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { Notices } from '../support/notices.ts';
import type { TestCluster } from '../support/redis-cluster.ts';

/** A store that knows one node of the cluster, closed after the test. */
export function openCluster(t: TestContext, cluster: TestCluster, prefix = '', timeoutMs = 10_000) {
  const url = parseDriverUrl(`redis+cluster://127.0.0.1:${cluster.masters[0]?.port}/#${prefix}`);
  assert.ok(url.scheme === 'redis');
  const notices = new Notices();
  const store = new RedisStore({ read: url.redis, write: url.redis, timeoutMs, notify: notices.notify });
  t.after(() => store.close());
  return { store, notices };
}
