/** What a master does for its workers, a router of the library does for itself. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import type { RouterEvent } from '../../lib/library/index.ts';
import { says, startBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { openRouter, portOf } from '../support/library.ts';
import { freePort } from '../support/ports.ts';
import { temporaryFolder } from '../support/router.ts';

test('active checks mark a backend that fails them, without a request', async (t) => {
  const [good, bad] = await Promise.all([startBackend(t, says('good')), startBackend(t, says('bad', 500))]);
  const router = await openRouter(t, {
    routes: {
      'site.test': ['site', bad.url, good.url],
      'healthcheck:site.test': { path: '/', interval: 1, fall: 1 },
    },
  });
  const [{ backend }] = (await once(router.events, 'check-failed')) as [RouterEvent];
  assert.equal(backend, bad.url);
  await eventually(async () => {
    const { route } = await router.explain('site.test');
    assert.deepEqual(
      route?.backends.map(({ state }) => state),
      ['dead', 'alive'],
    );
  });
  for (let i = 0; i < 4; i++) assert.equal((await ask({ port: portOf(router) })).body, 'good');
});

test('a dead backend that works again lives after its trial', async (t) => {
  const port = await freePort();
  const other = await startBackend(t, says('other'));
  const seen = new Set<string>();
  const router = await openRouter(t, {
    routes: { 'site.test': ['site', `http://127.0.0.1:${port}`, other.url] },
    config: { server: { deadBackendTTL: 1 } },
    onEvent: ({ event }) => seen.add(event),
  });
  const alive = once(router.events, 'backend-alive');
  while (!seen.has('backend-dead')) assert.equal((await ask({ port: portOf(router) })).body, 'other');
  const again = createServer(says('again')).listen(port, '127.0.0.1');
  await once(again, 'listening');
  t.after(() => again.close());
  await eventually(async () => assert.equal((await ask({ port: portOf(router) })).body, 'again'));
  await alive;
});

test('limits that routers share are those of this router alone', async (t) => {
  const backend = await startBackend(t, says('hello'));
  const router = await openRouter(t, {
    routes: { 'site.test': ['site', backend.url], 'options:site.test': { rate: '2/m 2', maxConn: 1 } },
  });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await ask({ port: portOf(router) })).status);
  assert.deepEqual(statuses, [200, 200, 429, 429]);
});

test('a router that accepts again after its connection limit has the same port', async (t) => {
  let posts = 0;
  const backend = await startBackend(t, ({ method }, response) => {
    if (method === 'GET') response.end('hello');
    else posts++;
  });
  const router = await openRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    config: { server: { limits: { connections: 2, connectionsPerClient: 0 } } },
  });
  const port = portOf(router);
  // With a request under way, none of them is idle and can be closed for another.
  const sockets = await Promise.all([dial(port), dial(port)]);
  for (const socket of sockets) socket.write('POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\n\r\n1');
  await eventually(() => assert.equal(posts, 2));
  await assert.rejects(dial(port), { code: 'ECONNREFUSED' });
  for (const socket of sockets) socket.destroy();
  await eventually(async () => assert.equal((await ask({ port })).body, 'hello'));
});

test('TLS clients get the certificate of the configuration', { skip: noOpenssl }, async (t) => {
  const { cert, keyFile, certFile } = makePair(temporaryFolder(t), 'site.test');
  const backend = await startBackend(t, (request, response) => response.end(request.headers['x-forwarded-proto']));
  const router = await openRouter(t, {
    http: { port: 0 },
    https: { bind: ['127.0.0.1'], port: 0, key: keyFile, cert: certFile },
    routes: { 'site.test': ['site', backend.url], 'options:site.test': { https: 'redirect' } },
  });
  const [plain = '', secure = ''] = router.addresses;
  assert.match(secure, /^https:/);
  const port = Number(new URL(secure).port);
  assert.equal((await ask({ port, tls: { ca: cert, servername: 'site.test' } })).body, 'https');
  const { headers } = await ask({ port: Number(new URL(plain).port) });
  assert.equal(headers.location, `https://site.test:${port}/`);
  const { answer } = await router.explain('site.test');
  assert.match(answer.text, new RegExp(`https://site\\.test:${port}/`));
});
