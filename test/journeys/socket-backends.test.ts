/** Backends at Unix sockets: `http://[unix:/path]`, as h2o writes them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { says, startBackend, startSocketBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { askUntilDead } from '../support/deaths.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { openWebSocket } from '../support/websockets.ts';

test('a backend at a Unix socket responds like one at a port', async (t) => {
  const folder = temporaryFolder(t);
  let connections = 0;
  const app = await startSocketBackend(t, join(folder, 'app.sock'), (request, response) => {
    const { host, connection } = request.headers;
    let length = 0;
    request.on('data', (chunk: Buffer) => (length += chunk.length));
    request.on('end', () => response.end(`${host} ${connection} ${request.url} ${length}`));
  });
  app.server.on('connection', () => connections++);
  new WebSocketServer({ server: app.server }).on('connection', (socket) => {
    socket.on('message', (data) => socket.send(data));
  });
  const missing = `http://[unix:${join(folder, 'missing.sock')}]`;
  writeFileSync(join(folder, 'file.sock'), '');
  const file = `http://[unix:${join(folder, 'file.sock')}]`;
  const router = await startRouter(t, {
    routes: {
      'app.test': ['app', `${app.url}/ignored/`],
      'missing.test': ['missing', missing],
      'file.test': ['file', file],
      'some.test': ['some', missing, app.url],
    },
  });
  const { port } = router;

  await t.test('it gets the Host that the client sent, and all requests on one connection', async () => {
    const got = await ask({ port, host: 'App.test:81', path: '/a?b=/../c' });
    assert.equal(got.body, 'App.test:81 keep-alive /a?b=/../c 0');
    const body = Buffer.alloc(1_000_000, 'x');
    assert.equal((await ask({ port, host: 'app.test', method: 'POST', body })).body, 'app.test keep-alive / 1000000');
    assert.equal(connections, 1);
  });

  await t.test('WebSockets go through', async () => {
    const client = openWebSocket(t, `ws://127.0.0.1:${port}/`, 'app.test');
    await once(client, 'open');
    client.send('hello');
    assert.equal(String((await once(client, 'message'))[0]), 'hello');
  });

  await t.test('X-Debug and the access log name it', async () => {
    const { headers } = await ask({ port, host: 'app.test', headers: { 'X-Debug': '1' } });
    assert.equal(headers['x-debug-backend-url'], app.url);
    assert.match(await router.line(/"POST/), /"app" [0-9.]+ [0-9.]+$/);
  });

  for (const host of ['missing.test', 'file.test']) {
    await t.test(`${host}: nobody there is 502`, async () => {
      assert.equal((await ask({ port, host })).status, 502);
    });
  }

  await t.test('a socket that is not there is dead, and even a POST goes to the next backend', async () => {
    const death = await askUntilDead(router, { host: 'some.test', method: 'POST', body: 'ok' });
    assert.equal(death['backend'], missing);
    assert.match(String(death['why']), /ENOENT/);
    for (let i = 0; i < 10; i++) {
      assert.match((await ask({ port, host: 'some.test', method: 'POST', body: 'ok' })).body, / 2$/);
    }
  });
});

test('the death of a socket is announced with its entry', async (t) => {
  const redis = await startRedis(t);
  const good = await startBackend(t, says('good'));
  const missing = `http://[unix:${join(temporaryFolder(t), 'a_b-c.sock')}]/`;
  await redis.cli('rpush', 'frontend:site.test', 'site', good.url, missing);
  const subscriber = redis.client().duplicate();
  t.after(() => subscriber.disconnect());
  await subscriber.subscribe('dead');
  const heard = once(subscriber, 'message');
  const router = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  await askUntilDead(router, { host: 'site.test' });
  assert.deepEqual(await heard, ['dead', `site.test;${missing};1;2`]);
});
