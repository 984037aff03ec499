/** `sticky` of `options:<key>`: clients come back to their backends, over every protocol and by every router. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { openSession, request } from '../support/http2.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { startRedis } from '../support/redis.ts';
import { type Router, startRouter } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

const owner = { after } as unknown as TestContext;
const redis = await startRedis(owner);
const backends = await Promise.all(
  Array.from({ length: 3 }, (_, i) =>
    startBackend(owner, (req, response) => {
      req.resume();
      response.setHeader('X-Cookie', req.headers.cookie ?? '');
      response.setHeader('Set-Cookie', 'own=1');
      response.end(String(i));
    }),
  ),
);
const http2 = await Promise.all(
  Array.from({ length: 2 }, (_, i) =>
    startHttp2Backend(owner, (stream) => {
      stream.respond({ ':status': 200 });
      stream.end(String(i));
    }),
  ),
);
const sockets = await Promise.all([startWebSocketBackend(owner), startWebSocketBackend(owner)]);
const urls = backends.map(({ url }) => url);
for (const [key, ...list] of [
  ['site.test', ...urls],
  ['other.test', ...urls],
  ['site.test/api', ...urls],
  ['h2.test', ...http2.map(({ url }) => url)],
  ['sockets.test', ...sockets.map(({ url }) => url)],
]) {
  await redis.cli('rpush', `frontend:${key}`, 'site', ...list);
  await redis.cli('hset', `options:${key}`, 'sticky', key === 'site.test/api' ? 'home 60' : 'home');
}
await redis.cli('sadd', 'prefixes:site.test', '/api');
const config = { driver: `redis://127.0.0.1:${redis.port}`, http: { port: 0, bind: ['127.0.0.1'], http2: true } };
// One after the other: on a busy machine a start takes long.
const router = await startRouter(owner, { config });
const second = await startRouter(owner, { config });

/** The value of the cookie that a response sets; null for none. */
function homeIn(fields: string | readonly string[] | undefined): string | null {
  const lines = typeof fields === 'string' ? [fields] : (fields ?? []);
  return lines.map((line) => /^home=([^;]*)/.exec(line)?.[1]).find((value) => value !== undefined) ?? null;
}

interface Visit {
  readonly cookie?: string | null;
  readonly host?: string;
  readonly path?: string;
  readonly by?: Router;
}

async function visit({ cookie = null, host = 'site.test', path = '/', by = router }: Visit = {}) {
  const headers = cookie === null ? {} : { Cookie: `a=b; home=${cookie}` };
  const { body, headers: got } = await ask({ port: by.port, host, path, headers });
  return { body, home: homeIn(got['set-cookie']), got };
}

test('the first response has a cookie, and with it the client comes back, by all routers', async () => {
  const homes = new Map<string, string>();
  await eventually(async () => {
    const { body, home, got } = await visit();
    assert.match(String(home), /^[\w-]{22}$/);
    assert.deepEqual(got['set-cookie'], ['own=1', `home=${home}; Path=/; HttpOnly; SameSite=Lax`]);
    homes.set(body, home ?? '');
    assert.equal(homes.size, 3);
  });
  for (const [body, cookie] of homes) {
    for (const by of [router, second]) {
      for (let i = 0; i < 3; i++) {
        const again = await visit({ cookie, by });
        assert.deepEqual([again.body, again.home], [body, null]);
        assert.equal(again.got['x-cookie'], `a=b; home=${cookie}`, 'backends get it as it is');
      }
    }
  }
});

test('a cookie that is made up, of another site, or of a path, counts for nothing and is replaced', async () => {
  const { home: ofSite } = await visit();
  const { home: ofOther } = await visit({ host: 'other.test' });
  const { home: ofPath } = await visit({ path: '/api' });
  assert.equal(new Set([ofSite, ofOther, ofPath]).size, 3);
  for (const cookie of [ofOther, ofPath, '0', 'A'.repeat(22), urls[0] ?? '']) {
    const { home } = await visit({ cookie });
    assert.match(String(home), /^[\w-]{22}$/, cookie ?? '');
    assert.notEqual(home, cookie);
  }
});

test('the cookie of a path is for that path, lives as long as asked, and needs TLS where the client has it', async () => {
  const headers = { 'X-Forwarded-Proto': 'https' };
  const { headers: got } = await ask({ port: router.port, host: 'site.test', path: '/api/a', headers });
  const [, line] = got['set-cookie'] ?? [];
  assert.match(String(line), /^home=[\w-]{22}; Path=\/api; Max-Age=60; HttpOnly; SameSite=Lax; Secure$/);
});

test('clients of a backend that drains stay, and those of one that is gone or dead get another cookie', async (t) => {
  t.after(() => redis.cli('del', 'weights:site.test', 'dead:site.test'));
  const { body, home: cookie } = await visit();
  const url = urls[Number(body)] ?? '';
  await redis.cli('hset', 'weights:site.test', url, '0');
  for (let i = 0; i < 5; i++) {
    assert.equal((await visit({ cookie })).body, body);
    assert.notEqual((await visit()).body, body);
  }
  await redis.cli('sadd', 'dead:site.test', body);
  const moved = await visit({ cookie });
  assert.notEqual(moved.body, body);
  assert.ok(moved.home !== null && moved.home !== cookie);
  const settled = await visit({ cookie: moved.home });
  assert.deepEqual([settled.body, settled.home], [moved.body, null]);
});

test('WebSockets get the cookie with their 101, and come back with it', async (t) => {
  const opened: number[] = [];
  for (const [i, backend] of sockets.entries()) {
    const listen = (): unknown => backend.opened().then(() => (opened.push(i), listen()));
    listen();
  }
  const open = async (headers: Record<string, string>): Promise<string | null> => {
    const socket = openWebSocket(t, `ws://127.0.0.1:${router.port}/`, 'sockets.test', { headers });
    const upgraded = once(socket, 'upgrade') as Promise<[{ headers: { 'set-cookie'?: string[] } }]>;
    await once(socket, 'open');
    const [{ headers: got }] = await upgraded;
    return homeIn(got['set-cookie']);
  };
  const cookie = await open({});
  assert.match(String(cookie), /^[\w-]{22}$/);
  for (let i = 0; i < 4; i++) assert.equal(await open({ Cookie: `home=${cookie}` }), null);
  await eventually(() => assert.equal(opened.length, 5));
  assert.equal(new Set(opened).size, 1);
});

test('HTTP/2 clients and backends have it, too', async (t) => {
  const { home: cookie, body } = await visit({ host: 'h2.test' });
  for (let i = 0; i < 4; i++) {
    const again = await visit({ host: 'h2.test', cookie });
    assert.deepEqual([again.body, again.home], [body, null]);
  }
  const session = await openSession(t, router.port);
  const first = await request(session, { ':authority': 'site.test' });
  const home = homeIn(first.headers['set-cookie']);
  assert.match(String(home), /^[\w-]{22}$/);
  for (let i = 0; i < 4; i++) {
    const again = await request(session, { ':authority': 'site.test', cookie: ['a=b', `home=${home}`] });
    assert.deepEqual([again.body, homeIn(again.headers['set-cookie'])], [first.body, null]);
  }
});
