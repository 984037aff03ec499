/** `headers:<key>`: requests have these fields at backends, and responses at clients, whichever lane serves them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { answerOf, openSession, request } from '../support/http2.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { startRedis } from '../support/redis.ts';
import { type Router, type RouterOptions, startRouter, temporaryFolder } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend, webSocketOn } from '../support/websockets.ts';

const LANES = [true, false] as const;
const H2C = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };

/** Opens a WebSocket on a stream (RFC 8441). */
const CONNECT = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':authority': 'site.test',
  ':path': '/chat',
  'sec-websocket-version': '13',
};

/** What all sites of these tests are given. */
const FIELDS = {
  'response:X-Frame-Options': 'DENY',
  'response:server': '',
  'response:X-Own': 'router',
  'request:X-Api-Key': 's3cret',
  'request:User-Agent': '',
};

/** What must not count, whoever writes it. */
const REFUSED = {
  'response:Content-Length': '3',
  'response:Transfer-Encoding': 'gzip',
  'response:Connection': 'close',
  'response:X-SSL-Client-Verify': 'SUCCESS',
  'request:Content-Length': '7',
  'request:Transfer-Encoding': 'chunked',
  'request:Connection': 'X-Api-Key',
  'request:Host': 'evil.test',
  'request:X-SSL-Client-Verify': 'SUCCESS',
  'request:X-Forwarded-For': '10.9.9.9',
  'response:X-Split': 'a\r\nX-Evil: 1',
  'request:X-Split': 'a\r\nX-Evil: 1',
  'response:X Space': '1',
  'response:X-Nul': 'a\0b',
  'X-Evil': '1',
};

/** Says in its body which fields it got. */
async function startEcho(t: TestContext) {
  return await startBackend(t, (message, response) => {
    message.resume();
    response.setHeader('Server', 'secret/1.0');
    response.setHeader('X-Own', ['a', 'b']);
    response.end(JSON.stringify(message.headers));
  });
}

function start(t: TestContext, fastLane: boolean, routes: RouterOptions['routes'], more: object = {}): Promise<Router> {
  return leaseRouter(t, { routes: routes ?? {}, server: { workers: 1, fastLane, ...more }, config: H2C });
}

function assertAdapted(headers: IncomingHttpHeaders, what: string): void {
  assert.equal(headers['x-frame-options'], 'DENY', what);
  assert.equal(headers['x-own'], 'router', what);
  assert.equal(headers['server'], undefined, what);
}

for (const fastLane of LANES) {
  const lane = fastLane ? 'with the fast lane' : 'without the fast lane';

  test(`a backend and its clients see the fields, and no others, ${lane}`, async (t) => {
    const echo = await startEcho(t);
    const router = await start(t, fastLane, {
      'site.test': ['site', echo.url],
      'headers:site.test': { ...FIELDS, ...REFUSED },
      'other.test': ['other', echo.url],
      'headers:*': { 'response:X-All': '1' },
    });
    const { port } = router;
    const evil = { 'x-api-key': 'forged', 'X-Api_Key': 'forged', 'user-agent': 'me', 'x-forwarded-for': '1.2.3.4' };
    for (const [method, body] of [
      ['GET', undefined],
      ['POST', 'hello'],
    ] as const) {
      const answer = await ask({ port, method, headers: evil, ...(body !== undefined && { body }) });
      assert.equal(answer.status, 200);
      assertAdapted(answer.headers, method);
      assert.equal(answer.headers['x-all'], '1');
      for (const name of ['x-evil', 'x-split', 'x-nul', 'x space', 'x-ssl-client-verify']) {
        assert.equal(answer.headers[name], undefined, name);
      }
      const got = JSON.parse(answer.body) as Record<string, string>;
      assert.equal(got['x-api-key'], 's3cret');
      assert.equal(got['host'], 'site.test');
      assert.equal(got['content-length'], body === undefined ? undefined : '5');
      for (const name of ['user-agent', 'x-api_key', 'x-evil', 'x-split', 'x-ssl-client-verify', 'transfer-encoding']) {
        assert.equal(got[name], undefined, name);
      }
      assert.match(got['x-forwarded-for'] ?? '', /127\.0\.0\.1$/);
    }
    const other = await ask({ port, host: 'other.test', headers: evil });
    assert.deepEqual([other.headers['x-all'], other.headers['server']], ['1', 'secret/1.0']);
    const got = JSON.parse(other.body) as Record<string, string>;
    assert.deepEqual([got['x-api-key'], got['user-agent']], ['forged', 'me']);
    // Byte for byte: a name is written as it was given.
    const bytes = await send(port, 'GET / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n');
    assert.match(bytes, /\r\nX-Frame-Options: DENY\r\n/);
    assert.equal(bytes.match(/\r\nX-Own: /gi)?.length, 1);
    assert.doesNotMatch(bytes, /evil/i);
    await eventually(() => {
      const faults = router.log.filter(({ event }) => event === 'routes-fault' || event === 'route-fault');
      assert.match(JSON.stringify(faults), /response:Content-Length/);
    });
  });

  test(`the router's own responses have them, ${lane}`, async (t) => {
    const folder = realpathSync(temporaryFolder(t));
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'a.txt'), 'a file');
    const long = { ...FIELDS, 'response:Cache-Control': 'max-age=3600' };
    const { port } = await start(
      t,
      fastLane,
      {
        'gone.test': ['gone', 'http://127.0.0.1:1'],
        'bare.test': ['bare'],
        'closed.test': ['closed', 'http://127.0.0.1:1'],
        'options:closed.test': { state: 'maintenance' },
        'moved.test': ['moved', 'redirect://www.moved.test/'],
        'canonical.test': ['canonical', 'http://127.0.0.1:1'],
        'options:canonical.test': { canonical: 'www.canonical.test' },
        'files.test': ['files', `file://${folder}`],
        ...Object.fromEntries(
          ['gone', 'bare', 'closed', 'moved', 'canonical', 'files'].map((name) => [`headers:${name}.test`, long]),
        ),
        'errors:gone.test': { '502': '<h1>gone</h1>' },
      },
      { staticRoots: folder },
    );
    for (const [host, path, status, cache] of [
      ['gone.test', '/', 502, 'no-cache'],
      ['bare.test', '/', 502, 'no-cache'],
      ['closed.test', '/', 503, 'no-cache'],
      ['moved.test', '/', 308, 'max-age=3600'],
      ['canonical.test', '/', 308, undefined],
      ['files.test', '/a.txt', 200, 'max-age=3600'],
      ['files.test', '/none', 404, 'no-cache'],
      ['files.test', '/sub', 301, undefined],
    ] as const) {
      const { status: got, headers } = await ask({ port, host, path });
      assert.equal(got, status, host + path);
      assertAdapted(headers, host + path);
      if (cache !== undefined) assert.equal(headers['cache-control'], cache, host + path);
      const session = await openSession(t, port);
      const again = await request(session, { ':authority': host, ':path': path });
      assert.equal(again.status, status, `${host}${path} by HTTP/2`);
      assertAdapted(again.headers, `${host}${path} by HTTP/2`);
      session.destroy();
    }
    // Only the client has named this port: no cache may keep the redirect.
    const { headers } = await ask({ port, host: 'canonical.test:1234' });
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal((await ask({ port, host: 'none.test' })).headers['x-frame-options'], undefined);
  });

  test(`HTTP/2 with clients and backends has them, ${lane}`, async (t) => {
    const seen: IncomingHttpHeaders[] = [];
    const echo = await startEcho(t);
    const backend = await startHttp2Backend(t, (stream, headers) => {
      seen.push(headers);
      stream.respond({ ':status': 200, server: 'secret', 'x-own': 'b' });
      stream.end('hello');
    });
    const { port } = await start(t, fastLane, {
      'site.test': ['site', echo.url],
      'h2.test': ['h2', backend.url],
      'headers:site.test': { ...FIELDS, ...REFUSED },
      'headers:h2.test': { ...FIELDS, ...REFUSED },
    });
    const session = await openSession(t, port);
    for (const host of ['site.test', 'h2.test']) {
      const answer = await request(session, { ':authority': host, 'x-api-key': 'forged' });
      assert.equal(answer.status, 200);
      assertAdapted(answer.headers, host);
      assertAdapted((await ask({ port, host })).headers, host);
    }
    assert.deepEqual(
      seen.map((headers) => [headers['x-api-key'], headers['user-agent'], headers[':authority']]),
      [
        ['s3cret', undefined, 'h2.test'],
        ['s3cret', undefined, 'h2.test'],
      ],
    );
  });

  test(`WebSockets have them, ${lane}`, async (t) => {
    const echo = await startWebSocketBackend(t);
    const { port } = await start(t, fastLane, {
      'site.test': ['site', echo.url],
      'headers:site.test': { ...FIELDS, ...REFUSED, 'response:Sec-WebSocket-Accept': 'no', 'response:Upgrade': '' },
      'options:site.test': { hsts: '60' },
    });
    const opened = echo.opened();
    const client = openWebSocket(t, `ws://127.0.0.1:${port}/chat`, 'site.test', { headers: { 'x-api-key': 'forged' } });
    const [answer] = (await once(client, 'upgrade')) as [{ headers: IncomingHttpHeaders }];
    assertAdapted(answer.headers, '101');
    assert.equal(answer.headers['x-evil'], undefined);
    assert.equal((await opened).request.headers['x-api-key'], 's3cret');
    if (client.readyState !== client.OPEN) await once(client, 'open');
    client.send('hello');
    assert.equal(String((await once(client, 'message'))[0]), 'hello');

    const session = await openSession(t, port);
    const stream = session.request(CONNECT);
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    assertAdapted(headers, '200 to CONNECT');
    const socket = webSocketOn(stream, 'client');
    socket.send('again');
    assert.equal(String((await once(socket, 'message'))[0]), 'again');

    // A handshake that fails is a response like any other.
    const refused = await ask({ port, path: '/plain' });
    assertAdapted(refused.headers, '426');
  });

  test(`a change in Redis counts from the next request on, ${lane}`, async (t) => {
    const redis = await startRedis(t);
    const echo = await startEcho(t);
    await redis.cli('rpush', 'frontend:site.test', 'site', echo.url);
    const driver = `redis://127.0.0.1:${redis.port}`;
    const router = await startRouter(t, { config: { driver }, server: { workers: 1, fastLane } });
    const field = async (name = 'x-a') => (await ask({ port: router.port })).headers[name];
    assert.equal(await field(), undefined);
    await redis.cli('hset', 'headers:*', 'response:X-A', 'all');
    assert.equal(await field(), 'all');
    await redis.cli('hset', 'headers:site.test', 'response:x-a', 'site', 'response:Content-Length', '1');
    assert.equal(await field(), 'site');
    assert.equal(await field('server'), 'secret/1.0');
    await redis.cli('hset', 'headers:site.test', 'response:Server', '');
    assert.equal(await field('server'), undefined);
    await redis.cli('del', 'headers:site.test', 'headers:*');
    assert.deepEqual([await field(), await field('server')], [undefined, 'secret/1.0']);
    await eventually(() => {
      const faults = router.log.filter(({ event }) => event === 'route-fault');
      assert.match(JSON.stringify(faults), /headers:site\.test.*response:Content-Length/);
    });
  });
}

test('a head that these fields make too large for HTTP/2 is an error, not a broken connection', async (t) => {
  const large = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`x-${i}`, 'x'.repeat(3_900)]));
  const backend = await startHttp2Backend(t, (stream) => {
    stream.respond({ ':status': 200, ...large });
    stream.end('hello');
  });
  const { port } = await start(t, true, {
    'site.test': ['site', backend.url],
    'headers:site.test': { 'response:A': 'a'.repeat(4_000), 'response:B': 'b'.repeat(3_000) },
    'small.test': ['small', backend.url],
  });
  const session = await openSession(t, port);
  assert.equal((await request(session)).status, 502);
  assert.equal((await request(session, { ':authority': 'small.test' })).status, 200);
});

test('a Redis user without a right to headers: has all the rest', async (t) => {
  const keys = '~frontend:* ~dead:* ~marks:* ~prefixes:* ~options:* ~errors:* ~tls:* ~hchecker_ping';
  for (const scripts of ['', '-@scripting']) {
    const lines = ['user default on nopass ~* &* +@all', `user old on >pw ${keys} &dead +@all ${scripts}`];
    const redis = await startRedis(t, { lines });
    const echo = await startEcho(t);
    await redis.cli('rpush', 'frontend:site.test', 'site', echo.url);
    await redis.cli('rpush', 'frontend:site.test/api', 'api', echo.url);
    await redis.cli('sadd', 'prefixes:site.test', '/api');
    await redis.cli('hset', 'options:site.test', 'canonical', 'site.test', 'redirectStatus', '302');
    await redis.cli('hset', 'options:site.test/api', 'state', 'maintenance');
    const router = await startRouter(t, { config: { driver: `redis://old:pw@127.0.0.1:${redis.port}` } });
    const { port } = router;
    assert.equal((await ask({ port })).status, 200);
    assert.equal((await ask({ port, path: '/api' })).status, 503);
    await redis.cli('hset', 'headers:site.test', 'response:X-A', '1');
    const { status, headers } = await ask({ port });
    assert.deepEqual([status, headers['x-a']], [200, undefined]);
    await eventually(() => {
      const faults = router.log.filter(({ event }) => event === 'route-fault');
      assert.match(JSON.stringify(faults), /headers:[^"]*".*is ignored/);
    });
  }
});

test('a WebSocket over HTTP/2 that is refused has them, too', async (t) => {
  const { port } = await start(t, true, {
    'site.test': ['site', 'http://127.0.0.1:1'],
    'headers:site.test': { 'response:X-Own': 'router', 'response:X-Frame-Options': 'DENY' },
  });
  const session = await openSession(t, port);
  const stream = session.request(CONNECT);
  const { status, headers } = await answerOf(stream);
  assert.equal(status, 502);
  assertAdapted(headers, '502');
});
