/** What a site's options make of requests and answers. */
import assert from 'node:assert/strict';
import { mkdirSync, realpathSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { noOpenssl, makePair } from '../support/certificates.ts';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { temporaryFolder } from '../support/router.ts';

/** Says what it was asked for, and who was. */
function echo(name: string): Parameters<typeof startBackend>[1] {
  return (request, response) => {
    request.resume();
    response.setHeader('X-Router-Error', 'forged');
    response.end(`${name} ${request.method} ${request.url} ${request.headers.host}`);
  };
}

test('a path goes to its prefix, whatever the lane', async (t) => {
  const [all, api] = [await startBackend(t, echo('all')), await startBackend(t, echo('api'))];
  const { port } = await leaseRouter(t, {
    routes: {
      'site.test': ['all', all.url],
      'site.test/api': ['api', api.url],
      '*.wild.test/api': ['wild', api.url],
      'options:*.wild.test/api': { strip: '1' },
    },
  });
  const said = async (path: string, more: object = {}) => (await ask({ port, path, ...more })).body;
  assert.equal(await said('/api/x?y'), 'api GET /api/x?y site.test');
  assert.equal(await said('/apix'), 'all GET /apix site.test');
  assert.equal(await said('/api', { headers: { 'X-Debug': '1' } }), 'api GET /api site.test');
  assert.equal(await said('/api/z', { method: 'POST', body: 'x' }), 'api POST /api/z site.test');
  assert.equal(await said('/api/z', { host: 'a.wild.test' }), 'api GET /z a.wild.test');
  assert.equal((await ask({ port, host: 'a.wild.test' })).status, 400);
  const { headers } = await ask({ port, path: '/api/x', headers: { 'X-Debug': '1' } });
  assert.equal(headers['x-debug-frontend-key'], 'site.test/api');
});

test("Apache's ProxyPassMatch, and h2o's paths, as options", async (t) => {
  const backend = await startBackend(t, echo('app'));
  const { port } = await leaseRouter(t, {
    routes: {
      'site.test/app': ['app', backend.url],
      'options:site.test/app': { rewrite: '^/app/users/([0-9]{4})$ /users/$1' },
      'site.test/old': ['old', backend.url],
      'options:site.test/old': { strip: '1', prepend: '/new' },
    },
  });
  const said = async (path: string) => (await ask({ port, path })).body;
  assert.equal(await said('/app/users/1234'), 'app GET /users/1234 site.test');
  assert.equal(await said('/app/users/12345?a=b'), 'app GET /app/users/12345?a=b site.test');
  assert.equal(await said('/old?a'), 'app GET /new/?a site.test');
});

test('a path too long for its pattern is refused, and nothing is asked of the backend', async (t) => {
  const asked: string[] = [];
  const backend = await startBackend(t, (request, response) => {
    asked.push(request.url ?? '');
    response.end('ok');
  });
  const { port } = await leaseRouter(t, {
    routes: {
      'site.test': ['app', backend.url],
      'options:site.test': { rewrite: '^/(\\w{1,31})/(.*)$ /$2' },
      'anchored.test': ['app', backend.url],
      'options:anchored.test': { rewrite: '^/old/(.*)$ /new/$1' },
    },
  });
  const long = 'x'.repeat(8_000);
  const { status, headers } = await ask({ port, path: `/a/${long}` });
  assert.deepEqual([status, headers['x-router-error']], [414, 'uri-too-long']);
  assert.deepEqual(asked, []);
  assert.equal((await ask({ port, path: `/a/b?${long}` })).status, 200);
  assert.equal((await ask({ port, path: `/img/${long}`, host: 'anchored.test' })).status, 200);
  assert.equal((await ask({ port, path: `/old/${long}`, host: 'anchored.test' })).status, 414);
  assert.deepEqual(asked, [`/b?${long}`, `/img/${long}`]);
});

test('a paused site, or one of its clients, gives seats up to others when limits.paused is reached', async (t) => {
  const { url } = await startBackend(t, echo('app'));
  const { port } = await leaseRouter(t, {
    server: { workers: 1, limits: { paused: 6 }, trustedProxies: ['127.0.0.1'] },
    routes: {
      '*.crowd.test': ['crowd', url],
      'options:*.crowd.test': { state: 'paused', pauseMax: '3600' },
      'other.test': ['other', url],
      'options:other.test': { state: 'paused', pauseMax: '3600' },
    },
  });
  const agent = new Agent();
  t.after(() => agent.destroy());
  const refused: string[] = [];
  const send = (host: string, client: string): void => {
    ask({ port, host, headers: { 'X-Forwarded-For': client }, agent }).then(
      ({ status }) => {
        assert.equal(status, 503);
        refused.push(`${client} ${host}`);
      },
      () => {},
    );
  };
  const areRefused = (count: number, client: string) =>
    eventually(() => assert.equal(refused.filter((each) => each.startsWith(client)).length, count));
  // One client alone has all there are.
  for (let i = 0; i < 8; i++) send(`a${i}.crowd.test`, '192.0.2.1');
  await areRefused(2, '192.0.2.1');
  // Another of the same site gets half of them, and another site half of all.
  for (let i = 0; i < 6; i++) send(`b${i}.crowd.test`, '192.0.2.2');
  await areRefused(2 + 3, '192.0.2.1');
  await areRefused(3, '192.0.2.2');
  for (let i = 0; i < 4; i++) send('other.test', '192.0.2.3');
  await areRefused(1, '192.0.2.3');
  // Those that gave their seats up are answered on connections of their own.
  await eventually(() => assert.equal(refused.length, 5 + 3 + 1 + 3));
});

test('connections to backends are kept on every kind of route', async (t) => {
  let connections = 0;
  const backend = await startBackend(t, echo('app'));
  backend.server.on('connection', () => connections++);
  const { url } = backend;
  const { port } = await leaseRouter(t, {
    routes: {
      'plain.test': ['plain', url],
      '*.wild.test': ['wild', url],
      'site.test/prefix': ['prefix', url],
      'site.test/strip': ['strip', url],
      'options:site.test/strip': { strip: '1', prepend: '/v2', mapBack: '1' },
      'site.test/regex': ['regex', url],
      'options:site.test/regex': { rewrite: '^/regex/([0-9]+)$ /users/$1' },
      'hsts.test': ['hsts', url],
      'options:hsts.test': { hsts: '60', canonical: 'hsts.test' },
    },
  });
  const kinds = [
    { host: 'plain.test', path: '/' },
    { host: 'a.wild.test', path: '/' },
    { host: 'site.test', path: '/prefix/1' },
    { host: 'site.test', path: '/strip/1' },
    { host: 'site.test', path: '/regex/1' },
    { host: 'hsts.test', path: '/' },
  ];
  for (const kind of kinds) {
    for (let i = 0; i < 5; i++) assert.equal((await ask({ port, ...kind })).status, 200);
    // The two lanes have a pool each.
    assert.ok(connections <= 2, `${connections} connections after ${kind.host}${kind.path}`);
  }
});

test('Location and cookies are those that clients can use', async (t) => {
  const backend = await startBackend(t, (request, response) => {
    const to = request.url?.endsWith('/far') ? 'http://elsewhere.test/v2/a' : '/v2/login?next=/v2/x';
    response.writeHead(302, { Location: to, 'Set-Cookie': ['a=1; Path=/v2', 'b=2; Path=/v2/deep; Secure'] }).end();
  });
  const { port } = await leaseRouter(t, {
    routes: {
      'site.test/api': ['api', backend.url],
      'options:site.test/api': { strip: '1', prepend: '/v2', mapBack: '1' },
    },
  });
  const { headers } = await ask({ port, path: '/api/x' });
  assert.equal(headers.location, '/api/login?next=/v2/x');
  assert.deepEqual(headers['set-cookie'], ['a=1; Path=/api', 'b=2; Path=/api/deep; Secure']);
  assert.equal((await ask({ port, path: '/api/far' })).headers.location, 'http://elsewhere.test/v2/a');
});

test('a canonical host, and an entry that redirects', async (t) => {
  const backend = await startBackend(t, says('here'));
  const { port } = await leaseRouter(t, {
    routes: {
      'x.test': ['x', backend.url],
      '*.x.test': ['x', backend.url],
      'options:*.x.test': { canonical: 'www.x.test', redirectStatus: '301' },
      'old.test': ['old', 'redirect://x.test/base/ 302'],
      'old.test/deep': ['deep', 'redirect+https://x.test'],
    },
  });
  const go = async (host: string, path: string, more: object = {}) => {
    const { status, headers, body } = await ask({ port, host, path, ...more });
    return [status, headers.location, body];
  };
  const moved = 'http://www.x.test/a?b=//c';
  assert.deepEqual(await go('a.x.test', '/a?b=//c'), [301, moved, `301 Moved Permanently: ${moved}\n`]);
  assert.deepEqual((await go('A.x.test:8080', '/'))[1], 'http://www.x.test:8080/');
  assert.deepEqual(await go('www.x.test', '/a'), [200, undefined, 'here']);
  assert.deepEqual(await go('WWW.x.test', '/a'), [200, undefined, 'here']);
  assert.deepEqual((await go('old.test', '/a?b')).slice(0, 2), [302, 'http://x.test/base/a?b']);
  assert.deepEqual((await go('old.test', '/')).slice(0, 2), [302, 'http://x.test/base/']);
  assert.deepEqual((await go('old.test', '/deep/er?')).slice(0, 2), [308, 'https://x.test/er?']);
  assert.deepEqual((await go('old.test', '/deep')).slice(0, 2), [308, 'https://x.test/']);
  assert.deepEqual(await go('old.test', '/deep', { method: 'HEAD' }), [308, 'https://x.test/', '']);
  const { headers } = await ask({ port, host: 'old.test' });
  assert.equal(headers['x-router-error'], undefined);
});

test('a port that only the client has named is in no redirect that a cache may keep', async (t) => {
  const folder = realpathSync(temporaryFolder(t));
  mkdirSync(join(folder, 'sub'));
  const router = await leaseRouter(t, {
    routes: {
      '*.x.test': ['x', 'http://127.0.0.1:9'],
      'options:*.x.test': { canonical: 'www.x.test' },
      '*.y.test': ['y', 'http://127.0.0.1:9'],
      'options:*.y.test': { canonical: 'www.y.test:8443' },
      'files.test': ['files', `file://${folder}`],
    },
    server: { staticRoots: [folder] },
  });
  const { port } = router;
  const go = async (host: string, headers: Readonly<Record<string, string>> = {}, path = '/') => {
    const { headers: told } = await ask({ port, host, path, headers });
    return [told.location, told['cache-control']];
  };
  assert.deepEqual(await go('a.x.test:6666'), ['http://www.x.test:6666/', 'no-store']);
  assert.deepEqual(await go(`a.x.test:${port}`), [`http://www.x.test:${port}/`, undefined]);
  assert.deepEqual(await go('a.x.test:80'), ['http://www.x.test/', undefined]);
  assert.deepEqual(await go('a.x.test'), ['http://www.x.test/', undefined]);
  assert.deepEqual(await go('a.y.test:6666'), ['http://www.y.test:8443/', undefined]);
  const proxied = { 'X-Forwarded-Port': '8080', 'X-Forwarded-Proto': 'https' };
  assert.deepEqual(await go('a.x.test:8080', proxied), ['https://www.x.test:8080/', undefined]);
  assert.deepEqual(await go('a.x.test:443', proxied), ['https://www.x.test/', undefined]);
  assert.deepEqual(await go(`a.x.test:${port}`, proxied), [`https://www.x.test:${port}/`, 'no-store']);
  assert.deepEqual(await go('files.test:6666', {}, '/sub?q'), ['http://files.test:6666/sub/?q', 'no-store']);
  assert.deepEqual(await go('files.test', {}, '/sub'), ['http://files.test/sub/', undefined]);
});

test('https and hsts, where TLS is on', { skip: noOpenssl }, async (t) => {
  const backend = await startBackend(t, says('here', 200, { 'Strict-Transport-Security': 'max-age=1' }));
  const files = makePair(temporaryFolder(t), 'site.test');
  const router = await leaseRouter(t, {
    routes: {
      'site.test': ['site', backend.url],
      'options:site.test': { https: 'redirect', hsts: '31536000 includeSubDomains' },
      'gone.test': ['gone'],
      'options:gone.test': { hsts: '60' },
    },
    config: { https: { bind: [{ address: '127.0.0.1', port: 0 }], key: files.keyFile, cert: files.certFile } },
  });
  const [plain = 0, secure = 0] = router.urls.map((url) => Number(new URL(url).port));
  const over = { port: secure, tls: { rejectUnauthorized: false, servername: 'site.test' } };

  await t.test('in the clear clients are sent to https, without a word of HSTS', async () => {
    const { status, headers } = await ask({ port: plain, path: '/a?b' });
    assert.equal(status, 308);
    assert.equal(headers.location, `https://site.test:${secure}/a?b`);
    assert.equal(headers['strict-transport-security'], undefined);
  });
  await t.test('over TLS they are served, and hear the word of the options alone', async () => {
    const { status, rawHeaders } = await ask(over);
    const at = rawHeaders.flatMap((name, i) => (/^strict-transport/i.test(name) ? [rawHeaders[i + 1]] : []));
    assert.deepEqual([status, at], [200, ['max-age=31536000; includeSubDomains']]);
  });
  await t.test("it is in the router's own answers, too", async () => {
    const { status, headers } = await ask({ ...over, host: 'gone.test', tls: { rejectUnauthorized: false } });
    assert.deepEqual([status, headers['strict-transport-security']], [502, 'max-age=60']);
  });
  await t.test('behind a proxy that ended TLS there is no loop', async () => {
    const { status, headers } = await ask({ port: plain, headers: { 'X-Forwarded-Proto': 'https' } });
    assert.deepEqual([status, headers['strict-transport-security']], [200, 'max-age=31536000; includeSubDomains']);
  });
  await t.test('a connection that is kept sees each request for itself', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const statuses: number[] = [];
    for (const proto of ['https', 'http', 'https']) {
      statuses.push((await ask({ port: plain, agent, headers: { 'X-Forwarded-Proto': proto } })).status);
    }
    assert.deepEqual(statuses, [200, 308, 200]);
  });
});

test('where TLS is not on, nobody is sent there', async (t) => {
  const backend = await startBackend(t, says('here'));
  const routes = {
    'site.test': ['site', backend.url],
    'options:site.test': { https: 'redirect' },
    'other.test': ['other', backend.url],
    'options:other.test': { httpsPort: '443', https: 'redirect 301' },
  };
  const { port } = await leaseRouter(t, { routes });
  assert.equal((await ask({ port })).status, 200);
  const { status, headers } = await ask({ port, host: 'other.test', path: '/a' });
  assert.deepEqual([status, headers.location], [301, 'https://other.test/a']);
});

test('a client that may not be believed is in the clear, whatever it says', async (t) => {
  const backend = await startBackend(t, says('here'));
  const { port } = await leaseRouter(t, {
    routes: { 'site.test': ['site', backend.url], 'options:site.test': { https: 'redirect', httpsPort: '443' } },
    server: { trustedProxies: [] },
  });
  assert.equal((await ask({ port, headers: { 'X-Forwarded-Proto': 'https' } })).status, 308);
});

test('errors say which they are, and have the page of the site', async (t) => {
  const backend = await startBackend(t, echo('app'));
  const { port } = await leaseRouter(t, {
    routes: {
      'site.test': ['site', backend.url],
      'closed.test': ['closed', backend.url],
      'options:closed.test': { state: 'maintenance', retryAfter: '120' },
      'errors:closed.test': { '503': '<h1>grüß Gott</h1>' },
      'closed.test/api': ['api', backend.url],
      'errors:closed.test/api': { '503': '{}' },
      'gone.test': ['gone'],
      'errors:*': { '400': '<h1>nobody</h1>' },
    },
  });
  const closed = await ask({ port, host: 'closed.test' });
  assert.deepEqual([closed.status, Buffer.from(closed.body, 'latin1').toString()], [503, '<h1>grüß Gott</h1>']);
  assert.equal(closed.headers['retry-after'], '120');
  assert.equal(closed.headers['x-router-error'], 'maintenance');
  assert.equal(closed.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal((await ask({ port, host: 'closed.test', path: '/api' })).body, '{}');
  assert.equal((await ask({ port, host: 'nobody.test' })).body, '<h1>nobody</h1>');
  const gone = await ask({ port, host: 'gone.test' });
  assert.deepEqual([gone.status, gone.headers['x-router-error']], [502, 'no-backend']);
  assert.match(gone.body, /<html/);
  // What backends say of errors is not the router's word.
  assert.equal((await ask({ port })).headers['x-router-error'], undefined);
  assert.equal((await ask({ port, headers: { 'X-Debug': '1' } })).headers['x-router-error'], undefined);
});
