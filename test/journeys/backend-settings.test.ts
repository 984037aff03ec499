/** What `server` says of all backends: whom to believe over TLS, and what of a URL counts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { test } from 'node:test';
import { startBackend, startSecureBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { askUntilDead } from '../support/deaths.ts';

test('server.backendTls names the authorities, and may ask for none', { skip: noOpenssl }, async (t) => {
  const pair = makePair(temporaryFolder(t), 'localhost');
  const backend = await startSecureBackend(t, pair, 'localhost', (request, response) => {
    const { servername } = request.socket as TLSSocket & { servername: unknown };
    response.end(`asked for ${String(servername)}`);
  });
  const byAddress = backend.url.replace('localhost', '127.0.0.1');
  const routes = { 'site.test': ['site', backend.url], 'address.test': ['address', byAddress] };
  const careful = await startRouter(t, { routes, server: { backendTls: { ca: pair.certFile } } });
  assert.equal((await ask({ port: careful.port })).body, 'asked for localhost');
  assert.equal((await ask({ port: careful.port, host: 'address.test' })).status, 502);
  const strange = await startRouter(t, { routes });
  assert.equal((await ask({ port: strange.port })).status, 502);
  const careless = await startRouter(t, { routes, server: { backendTls: { verify: false } } });
  assert.equal((await ask({ port: careless.port })).body, 'asked for localhost');
  assert.equal((await ask({ port: careless.port, host: 'address.test' })).body, 'asked for false');
});

test('server.legacyScheme speaks to https in the clear, and announces it as it is written', async (t) => {
  const redis = await startRedis(t);
  const backend = await startBackend(t, (request, response) => response.end(`plain ${request.url}`));
  const [one, other] = [backend.url.replace('http:', 'https:'), 'https://127.0.0.1:1'];
  await redis.cli('rpush', 'frontend:site.test', 'site', one, other);
  const subscriber = redis.client().duplicate();
  t.after(() => subscriber.disconnect());
  await subscriber.subscribe('dead');
  const heard = once(subscriber, 'message');
  const config = { driver: `redis://127.0.0.1:${redis.port}` };
  const router = await startRouter(t, { config, server: { legacyScheme: true } });
  await askUntilDead(router, { host: 'site.test' });
  assert.deepEqual(await heard, ['dead', `site.test;${other};1;2`]);
  const { body, headers } = await ask({ port: router.port, path: '/a', headers: { 'X-Debug': '1' } });
  assert.equal(body, 'plain /a');
  assert.equal(headers['x-debug-backend-url'], one);
});

test('server.backendPath puts the path of a URL before the client’s', async (t) => {
  const backend = await startBackend(t, (request, response) => response.end(request.url));
  const routes = { 'site.test': ['site', `${backend.url}/app/?x=y`], 'bare.test': ['bare', backend.url] };
  const router = await startRouter(t, { routes, server: { backendPath: true } });
  for (const [host, path, seen] of [
    ['site.test', '/', '/app/'],
    ['site.test', '/a%2Fb/../c?d=/e', '/app/a%2Fb/../c?d=/e'],
    ['bare.test', '/a?b', '/a?b'],
  ] as const) {
    assert.equal((await ask({ port: router.port, host, path })).body, seen);
    assert.equal((await ask({ port: router.port, host, path, method: 'POST', body: 'x' })).body, seen);
  }
});

test('a backend of an unknown scheme is left out and told of; 502 where none is left', async (t) => {
  const redis = await startRedis(t);
  const good = await startBackend(t, (_request, response) => response.end('good'));
  await redis.cli('rpush', 'frontend:some.test', 'some', 'gopher://127.0.0.1:1', good.url);
  await redis.cli('rpush', 'frontend:none.test', 'none', 'gopher://127.0.0.1:1');
  const router = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  const { port } = router;
  for (let i = 0; i < 10; i++) assert.equal((await ask({ port, host: 'some.test' })).body, 'good');
  assert.equal((await ask({ port, host: 'none.test' })).status, 502);
  for (const key of ['some.test', 'none.test']) {
    const said = await router.until('fault', () =>
      router.log.find(({ event, key: at }) => event === 'route-fault' && String(at).endsWith(key)),
    );
    assert.match(String(said['fault']), /gopher:\/\/127.0.0.1:1.*unknown scheme "gopher:"/);
  }
});
