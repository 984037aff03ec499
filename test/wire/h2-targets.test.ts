/** What an HTTP/2 request is for: :scheme, :authority, :path and :protocol (RFC 9113 §8.3.1, §8.5, RFC 8441 §4). */
import assert from 'node:assert/strict';
import { constants, type OutgoingHttpHeaders } from 'node:http2';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { answerOf, GET, openSession, RawHttp2, request } from '../support/http2.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { valuesOf } from '../support/wire.ts';
import { shareScene } from './scene.ts';

const HTTP2 = { config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } } };
const sceneWith = shareScene(HTTP2);
const RESET = constants.NGHTTP2_PROTOCOL_ERROR;

/** What is refused: with a status, or by a reset of the stream. */
const REFUSED: Readonly<Record<string, readonly [status: number, OutgoingHttpHeaders]>> = {
  'another scheme': [400, { ':scheme': 'foo' }],
  'another scheme, with the URL of another site as its path': [
    400,
    { ':scheme': 'foo', ':path': 'http://other.test/' },
  ],
  'another scheme, and a path without a slash': [400, { ':scheme': 'foo', ':path': 'a' }],
  'another scheme, and no path': [0, { ':scheme': 'foo', ':path': '' }],
  'another scheme and OPTIONS of *': [400, { ':scheme': 'foo', ':method': 'OPTIONS', ':path': '*' }],
  'a scheme that begins as http does': [400, { ':scheme': 'httpx' }],
  'the scheme of a WebSocket URL': [400, { ':scheme': 'ws' }],
  'a scheme with a colon': [0, { ':scheme': 'http:' }],
  'a scheme with a space': [0, { ':scheme': 'foo bar' }],
  'an empty scheme': [0, { ':scheme': '' }],
  'a URL as its path': [0, { ':path': 'http://other.test/' }],
  'an authority as its path': [0, { ':path': 'other.test:80' }],
  'a path without a slash': [0, { ':path': 'a' }],
  'no path': [0, { ':path': '' }],
  'GET of *': [0, { ':path': '*' }],
  'OPTIONS of **': [0, { ':method': 'OPTIONS', ':path': '**' }],
  'a fragment': [400, { ':path': '/a#b' }],
  'an empty authority beside a Host': [0, { ':authority': '', host: 'site.test' }],
  'a Host with another port': [400, { host: 'site.test:81' }],
  'CONNECT with a protocol, and another scheme': [
    400,
    { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'foo', ':path': '/' },
  ],
  'CONNECT with a protocol, and a path without a slash': [
    0,
    { ':method': 'CONNECT', ':protocol': 'websocket', ':path': 'http://other.test/' },
  ],
};

test('a request for no http or https URL is refused, and no backend gets it', async (t) => {
  const scene = await sceneWith();
  const session = await openSession(t, scene.port);
  for (const [name, [status, headers]] of Object.entries(REFUSED)) {
    await t.test(`${name}: ${status || 'reset'}`, async () => {
      const { lines } = scene.router;
      const logged = lines.length;
      const answer = await request(session, { ':scheme': 'http', ...headers });
      assert.deepEqual([answer.status, answer.code], status === 0 ? [0, RESET] : [status, 0]);
      if (status !== 0) await scene.router.until('line', () => / HTTP\/2\.0" 400 /.test(lines[logged] ?? ''));
      assert.equal(scene.received(), '');
    });
  }
  assert.equal((await request(session)).status, 200, 'the session goes on');
});

test('either scheme, in any case, and OPTIONS of * are served as ever', async (t) => {
  const scene = await sceneWith();
  const session = await openSession(t, scene.port);
  for (const scheme of ['http', 'https', 'HTTP', 'Https']) {
    assert.equal((await request(session, { ':scheme': scheme, ':path': '/a' })).status, 200, scheme);
  }
  assert.equal((await request(session, { ':method': 'OPTIONS', ':path': '*' })).status, 200);
  assert.equal((await request(session, { ':path': '//a/http://b?c://d' })).status, 200);
  const seen = scene.requests();
  assert.deepEqual(
    seen.map(({ method, target }) => `${method} ${target}`),
    ['GET /a', 'GET /a', 'GET /a', 'GET /a', 'OPTIONS *', 'GET //a/http://b?c://d'],
  );
  // The connection says how the client came, not what it claims.
  for (const each of seen) assert.deepEqual(valuesOf(each, 'x-forwarded-proto'), ['http']);
});

function without(name: string): typeof GET {
  return GET.filter(([each]) => each !== name);
}

test('pseudo-header fields that are unknown, missing, or not for this method reset the stream', async (t) => {
  const scene = await sceneWith();
  const raw = await RawHttp2.open(t, scene.port);
  const connecting = GET.map(([name, value]) => [name, name === ':method' ? 'CONNECT' : value] as const);
  const malformed: readonly (typeof GET)[] = [
    [...GET, [':foo', '1']],
    [...GET, [':protocol', 'websocket']],
    [...GET, [':scheme', 'http']],
    [...GET, [':', '']],
    without(':scheme'),
    connecting,
    connecting.filter(([name]) => name !== ':path'),
    [...connecting.filter(([name]) => name !== ':scheme'), [':protocol', 'websocket']],
    [...connecting.filter(([name]) => name !== ':path'), [':protocol', 'websocket']],
    [...connecting.filter(([name]) => name !== ':authority'), [':protocol', 'websocket']],
    without(':scheme').map(([name, value]) => [name, name === ':path' ? 'http://other.test/' : value] as const),
  ];
  for (const [index, fields] of malformed.entries()) {
    raw.headers(2 * index + 1, fields);
    assert.equal(await raw.resetOf(2 * index + 1), RESET, JSON.stringify(fields));
  }
  assert.equal(scene.received(), '');
  await scene.isWell();
});

test('no :path leads past the certificate to another site', { skip: noOpenssl }, async (t) => {
  const asked: string[] = [];
  const backend = await startBackend(t, ({ headers, url }, response) => {
    asked.push(`${headers.host} ${url}`);
    response.end();
  });
  const { keyFile: key, certFile: cert } = makePair(temporaryFolder(t), 'site.test');
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url], 'other.test': ['other', backend.url] },
    config: { http: { bind: [] }, https: { port: 0, bind: '127.0.0.1', key, cert } },
  });
  const session = await openSession(t, router.port, { rejectUnauthorized: false, servername: 'site.test' });
  const claims = [
    { ':scheme': 'foo', ':path': 'http://other.test/' },
    { ':scheme': 'https', ':path': 'https://other.test/' },
    { ':scheme': 'https', ':path': '//other.test/' },
    { ':scheme': 'http', ':path': '/' },
  ];
  for (const headers of claims) await answerOf(session.request({ ':authority': 'site.test', ...headers }));
  // RFC 9113 §8.3.1 lets a server ignore the scheme; nginx and HAProxy do.
  assert.deepEqual(asked, ['site.test //other.test/', 'site.test /']);
  assert.equal((await request(session, { ':authority': 'other.test' })).status, 421);
});
