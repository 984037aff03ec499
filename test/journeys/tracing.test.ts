/** The router's part in traces, as a collector sees it: one span for each exchange, one for each attempt in it. */
// @waits: for batches of spans
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { refusingUrl, startBackend, startRawBackend } from '../support/backends.ts';
import { ask, dial, send } from '../support/client.ts';
import { type Collector, type CollectedSpan, startCollector } from '../support/collector.ts';
import { type Router, type RouterOptions, startRouter } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

const ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

/** A router that exports everything, and its collector. */
async function start(
  t: TestContext,
  routes: Readonly<Record<string, readonly string[]>>,
  { otel, server, env }: { otel?: object; server?: RouterOptions['server']; env?: Record<string, string> } = {},
): Promise<{ router: Router; port: number; collector: Collector }> {
  const collector = await startCollector(t);
  const config = { otel: { endpoint: collector.endpoint, sample: 1, ...otel } };
  const router = await startRouter(t, { routes, config, ...(server && { server }), ...(env && { env }) });
  return { router, port: router.port, collector };
}

const isServer = ({ kind }: CollectedSpan): boolean => kind === 'server';
const hasPath =
  (path: string) =>
  ({ kind, attributes }: CollectedSpan): boolean =>
    kind === 'server' && attributes['url.path'] === path;

/** All but what differs from one run to the next. */
function kept({ attributes }: CollectedSpan): Readonly<Record<string, unknown>> {
  const { 'network.peer.address': _peer, ...others } = attributes;
  return others;
}

test('an exchange is a span, an attempt its child, and the backend is told of the latter', async (t) => {
  const heard: (string | undefined)[] = [];
  const backend = await startBackend(t, ({ headers }, response) => {
    heard.push(String(headers['traceparent']), headers['tracestate'] as string | undefined);
    response.end('hello');
  });
  const { port, collector } = await start(
    t,
    { '*.site.test': ['my site', backend.url] },
    { otel: { service: 'edge' } },
  );
  const before = Date.now();
  const headers = { traceparent: `00-${ID}-${SPAN}-01`, tracestate: 'a=1' };
  assert.equal((await ask({ port, host: `www.site.test:${port}`, path: '/a?token=s3cret', headers })).body, 'hello');
  const [server, client, ...others] = await collector.trace(2, isServer);
  assert.ok(server && client);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [server.traceId, server.parentSpanId, server.kind, client.parentSpanId, client.kind],
    [ID, SPAN, 'server', server.spanId, 'client'],
  );
  assert.deepEqual(heard, [`00-${ID}-${client.spanId}-01`, 'a=1']);
  assert.deepEqual([server.traceState, client.traceState], ['a=1', 'a=1']);
  assert.deepEqual(kept(server), {
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'url.scheme': 'http',
    'url.path': '/a',
    'server.address': 'www.site.test',
    'server.port': port,
    'client.address': '127.0.0.1',
    'network.protocol.version': '1.1',
    'hipache.frontend': 'my site',
    'hipache.key': '*.site.test',
    'hipache.backend': backend.url,
  });
  assert.deepEqual(kept(client), {
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'url.full': `${backend.url}/a`,
    'server.address': '127.0.0.1',
    'server.port': backend.port,
    'hipache.backend': backend.url,
  });
  assert.equal(server.resource['service.name'], 'edge');
  assert.doesNotMatch(JSON.stringify(collector.spans), /s3cret/);
  // The clocks of spans and of Date.now() may be 2 ms apart.
  assert.ok(before - 3 <= server.startMs && server.startMs <= client.startMs);
  assert.ok(client.endMs <= server.endMs && server.endMs < Date.now() + 3);
});

test('without a trace one begins here, and each exchange has its own', async (t) => {
  const heard: string[] = [];
  const backend = await startBackend(t, ({ headers }, response) => {
    heard.push(String(headers['traceparent']));
    response.end();
  });
  const { port, collector } = await start(t, { 'site.test': ['site', backend.url] });
  await ask({ port, path: '/1' });
  await ask({ port, path: '/2' });
  for (const [i, path] of ['/1', '/2'].entries()) {
    const [server, client] = await collector.trace(2, hasPath(path));
    assert.equal(server?.parentSpanId, undefined);
    assert.equal(heard[i], `00-${client?.traceId}-${client?.spanId}-01`);
  }
  assert.notEqual(heard[0]?.slice(0, 35), heard[1]?.slice(0, 35));
});

test('what is not sampled is told to the backend and to nobody else', async (t) => {
  const backend = await startBackend(t, ({ headers }, response) => response.end(headers['traceparent']));
  const { router, port, collector } = await start(t, { 'site.test': ['site', backend.url] }, { otel: { sample: 0 } });
  assert.match((await ask({ port })).body, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  const traceparent = `00-${ID}-${SPAN}-01`;
  assert.match((await ask({ port, headers: { traceparent } })).body, new RegExp(`^00-${ID}-[0-9a-f]{16}-01$`));
  assert.equal(await router.stop(), 0);
  assert.deepEqual(new Set(collector.spans.map(({ traceId }) => traceId)), new Set([ID]));
});

test('a retry is a second attempt in the same trace, whichever lane made the first', async (t) => {
  const heard: string[] = [];
  const good = await startBackend(t, ({ headers }, response) => {
    heard.push(String(headers['traceparent']));
    response.end('good');
  });
  const routes = { 'site.test': ['site', refusingUrl(), good.url], 'bad.test': ['bad', refusingUrl(), refusingUrl()] };
  const { port, collector } = await start(t, routes, { server: { deadBackendTTL: 1 } });
  // Whichever backend is chosen first: it takes a few until it was the one that refuses.
  let traced: readonly CollectedSpan[] = [];
  for (let i = 0; traced.length < 3; i++) {
    assert.ok(i < 100, 'never retried');
    assert.equal((await ask({ port, path: `/${i}`, host: 'site.test' })).body, 'good');
    traced = await collector.trace(2, hasPath(`/${i}`));
  }
  const [server, first, second, ...others] = traced;
  assert.ok(server && first && second);
  assert.deepEqual(others, []);
  assert.deepEqual([first.parentSpanId, second.parentSpanId], [server.spanId, server.spanId]);
  assert.equal(new Set(traced.map(({ spanId }) => spanId)).size, 3);
  assert.equal(heard.at(-1), `00-${server.traceId}-${second.spanId}-01`);
  assert.deepEqual([server.isError, first.isError, second.isError], [false, true, false]);
  assert.equal(first.attributes['error.type'], 'unreachable');
  assert.equal(second.attributes['http.request.resend_count'], 1);
  assert.equal(server.attributes['hipache.backend'], good.url);
  assert.ok(first.endMs <= second.startMs + 0.01);

  assert.equal((await ask({ port, host: 'bad.test', path: '/bad' })).status, 502);
  const [failed, ...attempts] = await collector.trace(3, hasPath('/bad'));
  assert.equal(failed?.isError, true);
  assert.equal(failed.attributes['error.type'], 'backend-failed');
  assert.equal(failed.attributes['http.response.status_code'], 502);
  assert.deepEqual(
    attempts.map(({ kind, attributes }) => [kind, attributes['error.type'], attributes['http.response.status_code']]),
    Array.from({ length: 2 }, () => ['client', 'unreachable', undefined]),
  );
});

test('a request that is lent to the full lane, or refused, is one exchange', async (t) => {
  const backend = await startBackend(t, (request, response) => {
    request.resume();
    request.once('end', () => response.writeHead(request.url === '/404' ? 404 : 200).end());
  });
  const { port, collector } = await start(t, { 'site.test': ['site', backend.url] });
  await ask({ port, path: '/debug', headers: { 'X-Debug': '1' } });
  await ask({ port, path: '/expect', method: 'POST', headers: { Expect: '100-continue' }, body: 'x' });
  await send(port, 'GET /old HTTP/1.0\r\nHost: site.test\r\n\r\n');
  await ask({ port, path: '/404' });
  await ask({ port, path: '/nobody', host: 'nobody.test' });
  await send(port, 'GET /host HTTP/1.1\r\nHost: bad host\r\nConnection: close\r\n\r\n');
  for (const path of ['/debug', '/expect', '/old', '/404']) {
    const [server, client, ...others] = await collector.trace(2, hasPath(path));
    assert.deepEqual(others, [], path);
    assert.equal(client?.parentSpanId, server?.spanId);
    assert.equal(server?.isError, false);
    assert.equal(client?.isError, path === '/404');
    assert.equal(server?.attributes['network.protocol.version'], path === '/old' ? '1.0' : '1.1');
  }
  for (const [path, refusal] of [
    ['/nobody', 'no-frontend'],
    ['/host', 'bad-host'],
  ] as const) {
    const [server, ...others] = await collector.trace(1, hasPath(path));
    assert.deepEqual(others, [], path);
    assert.equal(server?.attributes['hipache.refusal'], refusal);
    assert.equal(server?.attributes['http.response.status_code'], 400);
    assert.equal(server?.isError, false);
  }
  assert.equal(collector.spans.filter(isServer).length, 6);
});

test('a client that leaves, an answer that breaks off, a WebSocket', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', (head) => {
      if (head.toString().startsWith('GET /half ')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
    });
    socket.on('end', () => socket.end());
  });
  const echo = await startWebSocketBackend(t);
  const routes = { 'site.test': ['site', backend.url], 'ws.test': ['ws', echo.url] };
  const { router, port, collector } = await start(t, routes);

  const client = await dial(port);
  const arrived = once(backend.server, 'connection');
  client.write('GET /left HTTP/1.1\r\nHost: site.test\r\n\r\n');
  await arrived;
  client.destroy();
  const [left, attempt] = await collector.trace(2, hasPath('/left'));
  assert.equal(left?.attributes['error.type'], 'client-left');
  assert.equal(left.attributes['http.response.status_code'], undefined);
  assert.equal(attempt?.attributes['error.type'], 'abandoned');

  await send(port, 'GET /half HTTP/1.1\r\nHost: site.test\r\n\r\n');
  for (const span of await collector.trace(2, hasPath('/half'))) {
    assert.equal(span.attributes['error.type'], 'response-cut');
    assert.equal(span.attributes['http.response.status_code'], 200);
  }

  const opened = echo.opened();
  const tunnel = openWebSocket(t, `ws://127.0.0.1:${port}/tunnel`, 'ws.test');
  const [{ request }] = await Promise.all([opened, once(tunnel, 'open')]);
  tunnel.send('hello');
  await once(tunnel, 'message');
  assert.equal(collector.spans.some(hasPath('/tunnel')), false);
  const endedAt = Date.now();
  tunnel.close();
  const [server, upgraded] = await collector.trace(2, hasPath('/tunnel'));
  assert.ok(server && upgraded);
  assert.ok(server.endMs >= endedAt - 3 && upgraded.endMs >= endedAt - 3);
  assert.deepEqual(
    [server, upgraded].map((span) => [span.isError, span.attributes['http.response.status_code']]),
    [
      [false, 101],
      [false, 101],
    ],
  );
  assert.equal(request.headers['traceparent'], `00-${upgraded.traceId}-${upgraded.spanId}-01`);
  assert.equal(await router.stop(), 0);
  assert.equal(collector.spans.filter(isServer).length, 3);
});

test('pings are no part of any trace', async (t) => {
  const { router, port, collector } = await start(t, {});
  assert.equal((await ask({ port, host: '__ping__', path: '/ping' })).status, 200);
  await ask({ port, path: '/last' });
  assert.equal(await router.stop(), 0);
  assert.deepEqual(
    collector.spans.map(({ attributes }) => attributes['url.path']),
    ['/last'],
  );
});

test('the collector gets the configured fields, and those of the environment', async (t) => {
  const { port, collector } = await start(
    t,
    {},
    {
      otel: { headers: { 'api-key': 'from the file' } },
      env: {
        OTEL_EXPORTER_OTLP_HEADERS: 'api-key=from-outside,tenant=seven',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://192.0.2.1:1',
        OTEL_SERVICE_NAME: 'front',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      },
    },
  );
  await ask({ port });
  const [server] = await collector.trace(1, isServer);
  assert.equal(collector.exports[0]?.['api-key'], 'from the file');
  assert.equal(collector.exports[0]['tenant'], 'seven');
  // Nor is the exporter part of a trace.
  assert.equal(collector.exports[0]['traceparent'], undefined);
  assert.equal(server?.resource['service.name'], 'front');
  assert.equal(server?.resource['deployment.environment.name'], 'test');
});
