/** Files of this machine, to the byte: what is served, in which form, and what never is. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ask, type Answer, dial, send } from '../support/client.ts';
import { fileOwner } from '../support/file-owner.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { type Router, type RouterOptions, startRouter, temporaryFolder } from '../support/router.ts';
import { readAnswers, valuesOf } from '../support/wire.ts';

const MTIME = new Date('2024-05-06T07:08:09Z');
const SECRET = 'nobody is to see this';
const DIGITS = '0123456789';

/** Where the folders of all tests are. */
const root = realpathSync(temporaryFolder(fileOwner()));

interface Site {
  readonly router: Router;
  readonly port: number;
  /** All files are below it, those that may be served in `public`. */
  readonly top: string;
  readonly folder: string;
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
}

/** Writes files, by name, all of one age. */
function fill(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
    utimesSync(path, MTIME, MTIME);
  }
}

async function startSite(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  { routes, server, config }: RouterOptions = {},
): Promise<Site> {
  const top = mkdtempSync(join(root, 'site-'));
  const folder = join(top, 'public');
  fill(folder, files);
  fill(top, { 'secret.txt': SECRET, 'public-not/secret.txt': SECRET });
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', `file://${folder}`], ...routes },
    server: { staticRoots: [root], ...server },
    ...(config && { config }),
  });
  const get: Site['get'] = (path, headers = {}) => ask({ port: router.port, path, headers });
  return { router, port: router.port, top, folder, get };
}

test('a file is served with what caches need, and HEAD is told the same', async (t) => {
  const site = await startSite(t, { 'a.css': DIGITS, 'ü b.txt': 'name', 'no-type': '', 'sub/index.html': '<p>sub' });
  const { status, headers, body } = await site.get('/a.css?v=1');
  assert.equal(status, 200);
  assert.equal(body, DIGITS);
  assert.equal(headers['content-type'], 'text/css; charset=utf-8');
  assert.equal(headers['content-length'], '10');
  assert.equal(headers['last-modified'], MTIME.toUTCString());
  assert.equal(headers['accept-ranges'], 'bytes');
  assert.match(headers.etag ?? '', /^"[0-9a-f-]+"$/);
  for (const name of ['vary', 'cache-control', 'content-encoding', 'x-router-error', 'x-powered-by']) {
    assert.equal(headers[name], undefined, name);
  }
  const raw = await send(
    site.port,
    'HEAD /a.css HTTP/1.1\r\nHost: site.test\r\n\r\nGET /a.css HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n',
  );
  const [head, get, ...more] = readAnswers(raw, ['HEAD', 'GET']);
  assert.deepEqual(more, []);
  const told = (answer: typeof head) =>
    answer?.fields.filter(([name]) => !/^(?:date|connection|keep-alive)$/i.test(name));
  assert.deepEqual(told(head), told(get));
  assert.equal(get?.body, DIGITS);
  assert.equal((await site.get('/%C3%BC%20b.txt')).body, 'name');
  const empty = await site.get('/no-type');
  assert.deepEqual([empty.status, empty.headers['content-length'], empty.body], [200, '0', '']);
  assert.equal(empty.headers['content-type'], 'application/octet-stream');
  assert.match(await site.router.line(/"HEAD \/a.css/), / 200 0 /);
  assert.match(await site.router.line(/"GET \/a.css\?v=1/), / 200 10 /);
});

test('a folder is its index.html, and nothing without; without a slash the client is sent there', async (t) => {
  const site = await startSite(t, {
    'index.html': 'top',
    'sub/index.html': 'sub',
    'bare/a': 'a',
    'odd/index.html/x': 'x',
  });
  assert.equal((await site.get('/')).body, 'top');
  assert.equal((await site.get('/')).headers['content-type'], 'text/html; charset=utf-8');
  assert.equal((await site.get('/sub/?q')).body, 'sub');
  const { status, headers } = await site.get('/sub?a=1&b');
  assert.deepEqual([status, headers.location], [301, 'http://site.test/sub/?a=1&b']);
  for (const path of ['/bare/', '/odd/', '/bare/a/', '/index.html/', '/sub/none']) {
    assert.equal((await site.get(path)).status, 404, path);
  }
  assert.equal((await site.get('/bare')).headers.location, 'http://site.test/bare/');
});

test('a prefix stands for the folder; options of its path hold for what is below', async (t) => {
  const top = mkdtempSync(join(root, 'site-'));
  fill(top, { 'a.css': 'a', 'index.html': 'index', 'v2/a.css': 'v2', '7/b': 'seven', '7/index.html': 'index of 7' });
  const url = `file://${top}`;
  const { port } = await startRouter(t, {
    routes: {
      'site.test': ['site', 'http://127.0.0.1:1'],
      'site.test/assets': ['assets', url],
      'site.test/stripped': ['stripped', `${url}/`],
      'site.test/v2': ['v2', url],
      'site.test/docs': ['docs', url],
      'options:site.test/stripped': { strip: 1 },
      'options:site.test/v2': { strip: 1, prepend: '/v2' },
      'options:site.test/docs': { rewrite: '^/docs/v([0-9])(/.*)?$ /$1$2' },
      'errors:site.test': { 404: '<h1>lost</h1>' },
    },
    server: { staticRoots: top },
  });
  const get = (path: string) => ask({ port, path });
  assert.equal((await get('/assets/a.css')).body, 'a');
  assert.equal((await get('/assets/')).body, 'index');
  assert.equal((await get('/assets?x=1')).headers.location, 'http://site.test/assets/?x=1');
  assert.equal((await get('/stripped/a.css')).body, 'a');
  assert.equal((await get('/stripped/stripped/a.css')).status, 404);
  assert.equal((await get('/v2/a.css')).body, 'v2');
  assert.equal((await get('/docs/v7/b')).body, 'seven');
  assert.equal((await get('/docs/v7')).headers.location, 'http://site.test/docs/v7/');
  assert.equal((await get('/docs/v7/')).body, 'index of 7');
  assert.equal((await get('/docs/a.css')).body, 'a');
  const lost = await get('/assets/none');
  assert.deepEqual([lost.status, lost.headers['x-router-error'], lost.body], [404, 'not-found', '<h1>lost</h1>']);
  assert.equal((await get('/')).status, 502, 'the host’s own list is another');
});

test('only GET and HEAD', async (t) => {
  const site = await startSite(t, { a: 'a' });
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND']) {
    const answer = await ask({
      port: site.port,
      method,
      path: '/a',
      body: method === 'POST' ? 'x'.repeat(100_000) : '',
    });
    assert.equal(answer.status, 405, method);
    assert.equal(answer.headers.allow, 'GET, HEAD');
    assert.equal(answer.headers['x-router-error'], 'method-refused');
  }
  const tunnel = await send(site.port, 'CONNECT site.test:80 HTTP/1.1\r\nHost: site.test\r\n\r\n');
  assert.match(
    tunnel,
    /^HTTP\/1\.1 405 [^]*\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n/,
    'of all sites',
  );
  const raw = await send(site.port, 'OPTIONS * HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n');
  assert.match(raw, /^HTTP\/1\.1 405 /);
  const asked = 'GET /a HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\n\r\nhello';
  const last = 'GET /a HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n';
  const answers = readAnswers(await send(site.port, asked + last), ['GET', 'GET']);
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body]),
    [
      [200, 'a'],
      [200, 'a'],
    ],
    'the body of a GET is nobody’s next request',
  );
});

test('an upgrade is a GET, and ends the connection', async (t) => {
  const site = await startSite(t, { a: 'a' });
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
  const text = await send(
    site.port,
    `GET /a HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`,
  );
  const [answer] = readAnswers(text, ['GET']);
  assert.equal(answer?.status, 200);
  assert.equal(answer?.body, 'a');
  assert.deepEqual(valuesOf(answer, 'connection'), ['close']);
});

/** Targets as they go over the wire, none of which may show anything. */
const HOSTILE = [
  '/../secret.txt',
  '/sub/../../secret.txt',
  '/..',
  '/sub/..',
  '/sub/../a.css',
  '/./a.css',
  '/%2e%2e/secret.txt',
  '/%2E%2E/secret.txt',
  '/.%2e/secret.txt',
  '/%2e%2e%2fsecret.txt',
  '/..%2fsecret.txt',
  '/sub%2f..%2f..%2fsecret.txt',
  '/sub%2fa.css',
  '/..%5csecret.txt',
  '/..\\secret.txt',
  '/%252e%252e/secret.txt',
  '/..%c0%afsecret.txt',
  '/%c0%ae%c0%ae/secret.txt',
  '/..;/secret.txt',
  '/../public-not/secret.txt',
  '/a.css%00',
  '/a.css%00.html',
  '/%00',
  '/%',
  '/%zz',
  '/%ff',
  '/a.css/',
  '/a.css/..',
  '//a.css',
  '//',
  '/sub//a.css',
  '/.env',
  '/%2eenv',
  '/.git/config',
  '/sub/.hidden',
  '/link-out.txt',
  '/link-absolute.txt',
  '/link-folder/secret.txt',
  '/link-folder',
  '/link-folder/',
  '/link-loop',
  '/link-nowhere',
  '/link-proc/environ',
  '/link-null',
  '/pipe',
  '/pipe/',
  '/socket',
  '/etc/passwd',
  `/${'a'.repeat(300)}`,
  `/${'a/'.repeat(3000)}a`,
  '/?/a.css',
];

test('nothing but regular files below the folder is ever shown', async (t) => {
  const site = await startSite(t, {
    'a.css': 'a',
    'sub/a.css': 'sub',
    '.env': SECRET,
    '.git/config': SECRET,
    'sub/.hidden': SECRET,
  });
  const link = (to: string, name: string): void => symlinkSync(to, join(site.folder, name));
  link('../secret.txt', 'link-out.txt');
  link(join(site.top, 'secret.txt'), 'link-absolute.txt');
  link('../public-not', 'link-folder');
  link('link-loop', 'link-loop');
  link('nowhere', 'link-nowhere');
  link('/proc/self', 'link-proc');
  link('/dev/null', 'link-null');
  link('sub/a.css', 'link-in.css');
  link('sub', 'link-sub');
  execFileSync('mkfifo', [join(site.folder, 'pipe')]);
  const server = createServer().listen(join(site.folder, 'socket'));
  await once(server, 'listening');
  t.after(() => server.close());
  for (const target of HOSTILE) {
    const text = await send(site.port, `GET ${target} HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n`);
    const [answer] = readAnswers(text, ['GET']);
    assert.ok([404, 400].includes(answer?.status ?? 0), `${target}: ${answer?.status}`);
    if (answer?.status === 404) assert.deepEqual(valuesOf(answer, 'x-router-error'), ['not-found'], target);
    assert.ok(!text.includes(SECRET), target);
    assert.ok(!text.includes(site.top), 'where files are is nobody’s business');
  }
  assert.equal((await site.get('/link-in.css')).body, 'sub');
  assert.equal((await site.get('/link-sub/a.css')).body, 'sub');
});

/** What is sent along, and what comes back; `TAG` stands for the file's entity-tag, `DATE` for its Last-Modified. */
const CONDITIONS: readonly (readonly [Readonly<Record<string, string>>, number, string?])[] = [
  [{ 'If-None-Match': 'TAG' }, 304],
  [{ 'If-None-Match': 'W/TAG' }, 304],
  [{ 'If-None-Match': '"x", TAG' }, 304],
  [{ 'If-None-Match': '*' }, 304],
  [{ 'If-None-Match': '"x"' }, 200],
  [{ 'If-None-Match': '"x"', 'If-Modified-Since': 'DATE' }, 200],
  [{ 'If-None-Match': 'TAG', 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 304],
  [{ 'If-Modified-Since': 'DATE' }, 304],
  [{ 'If-Modified-Since': 'Wed, 01 Jan 2025 00:00:00 GMT' }, 304],
  [{ 'If-Modified-Since': 'Mon, 01 Jan 2024 00:00:00 GMT' }, 200],
  [{ 'If-Modified-Since': 'yesterday' }, 200],
  [{ 'If-None-Match': 'TAG', 'Cache-Control': 'no-cache' }, 200],
  [{ 'If-Match': 'TAG' }, 200],
  [{ 'If-Match': '*' }, 200],
  [{ 'If-Match': '"x"' }, 412],
  [{ 'If-Match': 'W/TAG' }, 412],
  [{ 'If-Match': 'W/TAG, TAG' }, 200],
  [{ 'If-Unmodified-Since': 'DATE' }, 200],
  [{ 'If-Unmodified-Since': 'Mon, 01 Jan 2024 00:00:00 GMT' }, 412],
  [{ Range: 'bytes=0-3' }, 206, '0-3'],
  [{ Range: 'bytes=4-' }, 206, '4-9'],
  [{ Range: 'bytes=-2' }, 206, '8-9'],
  [{ Range: 'bytes=-99' }, 206, '0-9'],
  [{ Range: 'bytes=8-99999999999999999999' }, 206, '8-9'],
  [{ Range: 'bytes=0-1,2-3' }, 206, '0-3'],
  [{ Range: 'bytes=0-0,9-9' }, 200],
  [{ Range: 'bytes=10-' }, 416],
  [{ Range: 'bytes=-0' }, 416],
  [{ Range: 'bytes=x' }, 200],
  [{ Range: 'bytes=' }, 200],
  [{ Range: 'bytes=0-3, x' }, 200],
  [{ Range: 'lines=0-3' }, 200],
  [{ Range: 'bytes=0-3', 'If-Range': 'TAG' }, 206, '0-3'],
  [{ Range: 'bytes=0-3', 'If-Range': 'W/TAG' }, 200],
  [{ Range: 'bytes=0-3', 'If-Range': '"x"' }, 200],
  [{ Range: 'bytes=0-3', 'If-Range': 'DATE' }, 206, '0-3'],
  [{ Range: 'bytes=0-3', 'If-Range': 'Wed, 01 Jan 2025 00:00:00 GMT' }, 200],
  [{ Range: 'bytes=99-', 'If-Range': '"x"' }, 200],
  [{ Range: 'bytes=0-3', 'If-None-Match': 'TAG' }, 304],
  [{ Range: 'bytes=0-3', 'If-Match': '"x"' }, 412],
];

test('conditions and ranges are as RFC 9110 has them', async (t) => {
  const site = await startSite(t, { 'a.txt': DIGITS });
  const first = await site.get('/a.txt');
  const { etag = '', 'last-modified': date = '' } = first.headers;
  for (const [fields, status, part] of CONDITIONS) {
    const headers = Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, value.replaceAll('TAG', etag).replace('DATE', date)]),
    );
    const what = JSON.stringify(headers);
    const answer = await site.get('/a.txt', headers);
    assert.equal(answer.status, status, what);
    if (status === 304) {
      assert.deepEqual(
        [answer.body, answer.headers.etag, answer.headers['content-length']],
        ['', etag, undefined],
        what,
      );
    }
    if (status === 200) assert.deepEqual([answer.body, answer.headers['content-range']], [DIGITS, undefined], what);
    if (status === 206) {
      const [from = 0, to = 0] = (part ?? '').split('-').map(Number);
      assert.equal(answer.body, DIGITS.slice(from, to + 1), what);
      assert.equal(answer.headers['content-range'], `bytes ${part}/10`, what);
      assert.equal(answer.headers['content-length'], String(to - from + 1), what);
      assert.equal(answer.headers.etag, etag, what);
    }
    if (status === 412) assert.equal(answer.headers['x-router-error'], 'precondition-failed');
    if (status === 416) {
      assert.equal(answer.headers['content-range'], 'bytes */10');
      assert.equal(answer.headers['x-router-error'], 'range-unsatisfiable');
    }
    const head = await ask({ port: site.port, method: 'HEAD', path: '/a.txt', headers });
    // RFC 9110 §14.2: ranges are for GET alone.
    assert.equal(head.status, status === 206 || status === 416 ? 200 : status, `HEAD ${what}`);
  }
  utimesSync(join(site.folder, 'a.txt'), MTIME, new Date(MTIME.getTime() + 1));
  assert.notEqual((await site.get('/a.txt')).headers.etag, etag, 'a millisecond later it is another file');
});

/** Accept-Encoding, and the form that comes of a file in all forms, as .br alone, as .gz alone. */
const FORMS: readonly (readonly [string | null, readonly (string | undefined)[]])[] = [
  [null, [undefined, undefined, undefined]],
  ['gzip, deflate, br', ['br', 'br', 'gzip']],
  ['gzip', ['gzip', undefined, 'gzip']],
  ['br;q=0.1, gzip;q=0.9', ['gzip', 'br', 'gzip']],
  ['*', ['br', 'br', 'gzip']],
  ['*;q=0', [undefined, undefined, undefined]],
  ['identity, gzip;q=0.5', [undefined, undefined, undefined]],
  ['identity;q=0, gzip;q=0.5', ['gzip', undefined, 'gzip']],
  ['identity;q=0', [undefined, undefined, undefined]],
];

test('forms that are there are served to those who take them', async (t) => {
  const site = await startSite(t, {
    'all.js': DIGITS,
    'all.js.br': 'brotli',
    'all.js.gz': 'gzipped!',
    'br.js': DIGITS,
    'br.js.br': 'brotli',
    'gz.js': DIGITS,
    'gz.js.gz': 'gzipped!',
    'none.js': DIGITS,
    'alone.js.gz': 'alone',
    'out.js': DIGITS,
    'index.html': 'index',
    'index.html.gz': 'packed index',
  });
  symlinkSync('../secret.txt', join(site.folder, 'out.js.gz'));
  mkdirSync(join(site.folder, 'none.js.gz'));
  for (const [accepted, forms] of FORMS) {
    for (const [index, name] of ['all', 'br', 'gz'].entries()) {
      const coding = forms[index];
      const headers: Record<string, string> = accepted === null ? {} : { 'Accept-Encoding': accepted };
      const answer = await site.get(`/${name}.js`, headers);
      const what = `${name} for ${accepted}`;
      const body = coding === 'br' ? 'brotli' : coding === 'gzip' ? 'gzipped!' : DIGITS;
      assert.deepEqual([answer.status, answer.headers['content-encoding'], answer.body], [200, coding, body], what);
      assert.equal(answer.headers.vary, 'Accept-Encoding', what);
      assert.equal(answer.headers['content-type'], 'text/javascript; charset=utf-8', what);
    }
  }
  const gzip = { 'Accept-Encoding': 'gzip' };
  const tags = await Promise.all(
    ['gzip', 'br', 'identity'].map((each) => site.get('/all.js', { 'Accept-Encoding': each })),
  );
  assert.equal(new Set(tags.map(({ headers }) => headers.etag)).size, 3, 'each form has an entity-tag of its own');
  const [packed] = tags;
  const again = await site.get('/all.js', { ...gzip, 'If-None-Match': packed?.headers.etag ?? '' });
  assert.deepEqual(
    [again.status, again.headers.vary, again.headers['content-encoding']],
    [304, 'Accept-Encoding', undefined],
  );
  assert.equal((await site.get('/all.js', { 'If-None-Match': packed?.headers.etag ?? '' })).status, 200);
  const part = await site.get('/all.js', { ...gzip, Range: 'bytes=0-3' });
  assert.deepEqual([part.status, part.body, part.headers['content-range']], [206, 'gzip', 'bytes 0-3/8']);
  assert.equal((await site.get('/', gzip)).body, 'packed index');
  for (const name of ['none', 'out']) {
    const { status, body, headers } = await site.get(`/${name}.js`, gzip);
    assert.deepEqual([status, body, headers['content-encoding']], [200, DIGITS, undefined], name);
  }
  assert.equal((await site.get('/alone.js', gzip)).status, 404, 'a form of nothing');
  assert.equal((await site.get('/alone.js.gz')).headers['content-encoding'], undefined, 'or a file like others');
});

test('what all answers have, files have', async (t) => {
  const site = await startSite(
    t,
    { a: 'a' },
    {
      routes: { 'options:site.test': { hsts: 600 } },
      server: { requestId: 'both' },
    },
  );
  const { headers } = await site.get('/a', { 'X-Forwarded-Proto': 'https', 'X-Debug': '1' });
  assert.equal(headers['strict-transport-security'], 'max-age=600');
  assert.ok(headers['x-request-id']);
  assert.equal(headers['x-debug-backend-url'], 'file://');
  assert.equal((await site.get('/a')).headers['strict-transport-security'], undefined);
});

test('a connection carries one file after another, and files of several clients do not mix', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, `${i},`.repeat(20_000)]));
  const site = await startSite(t, files);
  const names = Object.keys(files);
  const bytes = names.map((name) => `GET /${name} HTTP/1.1\r\nHost: site.test\r\n\r\n`).join('');
  const last = 'GET /none HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n';
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const answers = readAnswers(
        await send(site.port, bytes + last),
        [...names, ''].map(() => 'GET'),
      );
      assert.deepEqual(
        answers.slice(0, -1).map(({ body }) => body),
        Object.values(files),
      );
      assert.equal(answers.at(-1)?.status, 404);
    }),
  );
});

test('a folder that a link leads to may move while requests come', async (t) => {
  const top = mkdtempSync(join(root, 'site-'));
  fill(top, { 'one/a': 'one', 'two/a': 'two' });
  symlinkSync('one', join(top, 'current'));
  const { port } = await startRouter(t, {
    routes: { 'site.test': ['site', `file://${top}/current`] },
    server: { staticRoots: join(top, 'current') },
  });
  assert.equal((await ask({ port, path: '/a' })).body, 'one');
  rmSync(join(top, 'current'));
  symlinkSync('two', join(top, 'current'));
  assert.equal((await ask({ port, path: '/a' })).body, 'two');
});

test('a link that is changed all the time, in and out of the folder, shows nothing of what is outside', async (t) => {
  const site = await startSite(t, { 'in.txt': DIGITS, 'folder/secret.txt': DIGITS });
  const swap = (to: string, name: string): void => {
    symlinkSync(to, join(site.folder, 'next'));
    renameSync(join(site.folder, 'next'), join(site.folder, name));
  };
  const over = new AbortController();
  const swapping = (async () => {
    for (let i = 0; !over.signal.aborted; i++) {
      swap(i % 2 === 0 ? 'in.txt' : '../secret.txt', 'file');
      swap(i % 2 === 0 ? 'folder' : '..', 'way');
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const seen = new Set<string>();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 60; i++) {
        const { status, body } = await site.get(i % 2 === 0 ? '/file' : '/way/secret.txt');
        seen.add(status === 200 ? body : String(status));
      }
    }),
  );
  over.abort();
  await swapping;
  assert.deepEqual([...seen].toSorted(), [DIGITS, '404']);
});

test('a pipelined client that asks for a folder and leaves is no trouble', async (t) => {
  const site = await startSite(t, { 'index.html': 'x' });
  for (let i = 0; i < 20; i++) {
    const socket = await dial(site.port);
    socket.write('GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
    socket.destroy();
  }
  assert.equal((await site.get('/')).body, 'x');
  assert.deepEqual(
    site.router.log.filter(({ level }) => level === 'error' || level === 'fatal'),
    [],
  );
});
