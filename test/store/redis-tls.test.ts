import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startRedis } from '../support/redis.ts';
import { find } from './contract.ts';
import { openRedis } from './redis-subject.ts';

const redis = await startRedis({ after }, { tls: true });

test('rediss: is TLS: a server nobody vouches for is not talked to', async (t) => {
  const { store, notices } = openRedis(t, redis);
  assert.match((await notices.next('store-down')).cause.message, /certificate/);
  await assert.rejects(find(store, 'www.x.io'), { code: 'store-unavailable', message: /certificate/ });
});

test('rediss: works with an authority that NODE_EXTRA_CA_CERTS names', async () => {
  await redis.cli('rpush', 'frontend:www.x.io', 'safe', 'http://10.0.0.1');
  const script = `
    const { RedisStore } = await import(${JSON.stringify(new URL('../../lib/store/redis/store.js', import.meta.url).href)});
    const address = ${JSON.stringify(redis.address())};
    const store = new RedisStore({ read: address, write: address, timeoutMs: 2000, notify: () => {} });
    const route = await store.find(['www.x.io'], '/').catch(String);
    console.log(route.name ?? route);
    await store.close();
  `;
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: redis.caPath };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env,
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 20_000,
  });
  // It ends by itself: a closed store holds nothing open.
  assert.equal((await text(child.stdout)).trim(), 'safe');
});
