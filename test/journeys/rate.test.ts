/** `rate`: requests beyond a site's rate get 429, in both lanes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { says, startBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { type Answer, ask } from '../support/client.ts';
import { openSession, request } from '../support/http2.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

const FEW = '2/h 2';

async function statuses(times: number, one: () => Promise<{ readonly status: number }>): Promise<readonly number[]> {
  const found: number[] = [];
  for (let i = 0; i < times; i++) found.push((await one()).status);
  return found;
}

test('requests beyond the rate get 429, say when to come back, and reach no backend', async (t) => {
  let reached = 0;
  const backend = await startBackend(t, (incoming, response) => {
    reached++;
    incoming.resume();
    incoming.once('end', () => response.end('ok'));
  });
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url], 'options:site.test': { rate: FEW } },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const to = (options: object): Promise<Answer> => ask({ port: router.port, agent, ...options });
  assert.deepEqual(await statuses(2, () => to({})), [200, 200]);
  const limited = await to({});
  assert.equal(limited.status, 429);
  assert.equal(limited.headers['x-router-error'], 'rate-limited');
  assert.equal(limited.headers['retry-after'], '1800');
  assert.equal(limited.headers['ratelimit-policy'], '"requests";q=2;w=3600');
  assert.equal(limited.headers['ratelimit'], '"requests";r=0;t=1800');
  assert.equal(limited.headers['cache-control'], 'no-cache');
  const head = await to({ method: 'HEAD' });
  assert.deepEqual(
    [head.status, head.body, head.headers['content-length']],
    [429, '', limited.headers['content-length']],
  );
  assert.equal((await to({ method: 'POST', body: 'a'.repeat(300_000) })).status, 429);
  assert.equal((await to({ path: '/again' })).status, 429, 'the same connection goes on');
  assert.equal(reached, 2);
  await router.line(new RegExp(`"GET /again HTTP/1\\.1" 429 ${limited.body.length} `));
});

test('both lanes count and refuse alike, and a request that is handed off counts once', async (t) => {
  const backend = await startBackend(t, says('ok'));
  const h2c = await startHttp2Backend(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.end();
  });
  const routes = {
    'site.test': ['site', backend.url],
    'options:site.test': { rate: FEW },
    'h2c.test': ['site', h2c.url],
    'options:h2c.test': { rate: FEW },
  };
  const lanes = await Promise.all([true, false].map((fastLane) => startRouter(t, { routes, server: { fastLane } })));
  const seen = await Promise.all(
    lanes.map(async ({ port }) => {
      const answers: unknown[] = [];
      // The second has an expectation, which the full lane handles.
      for (const headers of [{}, { expect: '100-continue' }, {}]) {
        const { status, headers: got, body } = await ask({ port, headers });
        const { date: _date, ...others } = got;
        answers.push({ status, others, body });
      }
      return answers;
    }),
  );
  assert.deepEqual(seen[0], seen[1]);
  assert.deepEqual(
    (seen[0] as { readonly status: number }[]).map(({ status }) => status),
    [200, 200, 429],
  );
  for (const { port } of lanes) {
    assert.deepEqual(await statuses(3, () => ask({ port, host: 'h2c.test' })), [200, 200, 429]);
  }
});

const site = (rateBy: string): Record<string, string> => ({ rate: '1/h 1', rateBy });
const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });

test('a rate is for each client, host, field or cookie, as rateBy says', async (t) => {
  const backend = await startBackend(t, says('ok'));
  const router = await startRouter(t, {
    routes: {
      '*.client.test': ['site', backend.url],
      'options:*.client.test': site('client'),
      '*.host.test': ['site', backend.url],
      'options:*.host.test': site('host'),
      'header.test': ['site', backend.url],
      'options:header.test': site('header:X-Key'),
      'cookie.test': ['site', backend.url],
      'options:cookie.test': site('cookie:id'),
    },
    server: { trustedProxies: ['127.0.0.1'] },
  });
  const status = async (host: string, headers: Record<string, string> = {}): Promise<number> =>
    (await ask({ port: router.port, host, headers })).status;
  assert.equal(await status('a.client.test', from('192.0.2.1')), 200);
  assert.equal(await status('b.client.test', from('192.0.2.1')), 429);
  assert.equal(await status('a.client.test', from('192.0.2.2')), 200);
  assert.equal(await status('a.client.test', from('2001:db8::1')), 200);
  assert.equal(await status('a.client.test', from('2001:db8::2')), 429, 'the same network');
  assert.equal(await status('a.host.test', from('192.0.2.1')), 200);
  assert.equal(await status('a.host.test', from('192.0.2.2')), 429);
  assert.equal(await status('b.host.test', from('192.0.2.1')), 200);
  assert.equal(await status('header.test', { 'X-Key': 'a' }), 200);
  assert.equal(await status('header.test', { 'X-Key': 'a', ...from('192.0.2.9') }), 429);
  assert.equal(await status('header.test', { 'X-Key': 'b' }), 200);
  assert.equal(await status('header.test'), 200);
  assert.equal(await status('header.test'), 429);
  assert.equal(await status('cookie.test', { cookie: 'x=y; id=a' }), 200);
  assert.equal(await status('cookie.test', { cookie: 'id=a' }), 429);
});

test('streams of HTTP/2 and WebSockets count, too', async (t) => {
  const backend = await startBackend(t, says('ok'));
  const sockets = await startWebSocketBackend(t);
  const router = await startRouter(t, {
    routes: {
      'site.test': ['site', backend.url],
      'options:site.test': { rate: FEW },
      'ws.test': ['site', sockets.url],
      'options:ws.test': { rate: FEW },
    },
    config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } },
  });
  const session = await openSession(t, router.port);
  assert.deepEqual(await statuses(3, () => request(session)), [200, 200, 429]);
  const open = async (): Promise<{ status: number }> => {
    const socket = openWebSocket(t, `ws://127.0.0.1:${router.port}/`, 'ws.test');
    return await Promise.race([
      once(socket, 'open').then(() => ({ status: 101 })),
      once(socket, 'unexpected-response').then(([, response]) => ({ status: Number(response.statusCode) })),
    ]);
  };
  assert.deepEqual(await statuses(3, open), [101, 101, 429]);
});

test(
  'requests over TLS, also as streams of HTTP/2, count with those of the same client without',
  { skip: noOpenssl },
  async (t) => {
    const folder = temporaryFolder(t);
    const pair = makePair(folder, 'site.test');
    const backend = await startBackend(t, says('ok'));
    const router = await startRouter(t, {
      routes: { 'site.test': ['site', backend.url], 'options:site.test': { rate: '4/h 4' } },
      config: { https: { port: 0, bind: ['127.0.0.1'], key: pair.keyFile, cert: pair.certFile } },
    });
    const securePort = Number(new URL(router.urls[1] ?? '').port);
    const tls = { ca: pair.cert, servername: 'site.test' };
    assert.deepEqual(await statuses(2, () => ask({ port: securePort, tls })), [200, 200]);
    const session = await openSession(t, securePort, tls);
    assert.deepEqual(await statuses(1, () => request(session)), [200]);
    assert.deepEqual(await statuses(2, () => ask({ port: router.port })), [200, 429]);
    assert.deepEqual(await statuses(1, () => request(session)), [429]);
    const limited = await ask({ port: securePort, tls });
    assert.deepEqual([limited.status, limited.headers['ratelimit-policy']], [429, '"requests";q=4;w=3600']);
  },
);
