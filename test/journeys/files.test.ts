/** Files of this machine, when something is amiss: folders that may not be served, clients that leave or dawdle. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { openSession, request } from '../support/http2.ts';
import { noProc, openBelow, workerOf } from '../support/processes.ts';
import { type Router, type RouterOptions, startRouter, temporaryFolder } from '../support/router.ts';

const LARGE = 64 * 1_048_576;
const GET = 'GET /large HTTP/1.1\r\nHost: site.test\r\n\r\n';

/** A folder whose real path is known, with one file. */
function folderWith(t: TestContext, name: string, text: string): string {
  const folder = realpathSync(temporaryFolder(t));
  writeFileSync(join(folder, name), text);
  return folder;
}

interface Site {
  readonly router: Router;
  readonly folder: string;
  /** How many of its files are open. */
  readonly open: () => number;
}

/** A site of one large file, which takes no room on the disk. */
async function startLarge(t: TestContext, options: RouterOptions = {}): Promise<Site> {
  const folder = folderWith(t, 'large', '');
  truncateSync(join(folder, 'large'), LARGE);
  const routes = { 'site.test': ['site', `file://${folder}`] };
  const router = await startRouter(t, { ...options, routes, server: { staticRoots: folder, ...options.server } });
  return { router, folder, open: () => openBelow(workerOf(router), folder) };
}

/** A client that asks for the large file and reads no more than the beginning of it. */
async function startReading(t: TestContext, { router, open }: Site) {
  const socket = await dial(router.port);
  t.after(() => socket.destroy());
  socket.write(GET);
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  assert.match(first.toString('latin1'), new RegExp(`^HTTP/1\\.1 200 [^]*\r\nContent-Length: ${LARGE}\r\n`));
  await eventually(() => assert.equal(open(), 1));
  return socket;
}

const LINUX = { skip: noProc };

test('a client that leaves in the middle leaves no file open', LINUX, async (t) => {
  const site = await startLarge(t);
  const socket = await startReading(t, site);
  socket.destroy();
  await eventually(() => assert.equal(site.open(), 0));
  assert.match(await site.router.line(/"GET \/large /), / 200 [0-9]+ /);
});

test('a client that reads slowly gets all of it; the file is read at its pace', LINUX, async (t) => {
  const site = await startLarge(t);
  const socket = await startReading(t, site);
  // What is under way on loopback is some megabytes.
  while (socket.bytesRead < LARGE / 2) {
    socket.resume();
    await once(socket, 'data');
    socket.pause();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(site.open(), 1);
  socket.resume();
  await eventually(() => assert.equal(site.open(), 0));
  assert.match(await site.router.line(/"GET \/large /), new RegExp(` 200 ${LARGE} `));
});

test('a client that reads no more is cut off after timeouts.response', LINUX, async (t) => {
  const site = await startLarge(t, { server: { timeouts: { response: 3 } } });
  const socket = await startReading(t, site);
  const closed = once(socket, 'close');
  await eventually(() => assert.equal(site.open(), 0), 20_000);
  socket.resume();
  await closed;
  assert.ok(socket.bytesRead < LARGE);
});

test('a file that becomes shorter while it is sent cuts the client off', LINUX, async (t) => {
  const site = await startLarge(t);
  const socket = await startReading(t, site);
  truncateSync(join(site.folder, 'large'), 1000);
  const closed = once(socket, 'close');
  socket.resume();
  await closed;
  assert.ok(socket.bytesRead < LARGE);
  await eventually(() => assert.equal(site.open(), 0));
  assert.equal((await ask({ port: site.router.port, path: '/large' })).body.length, 1000);
});

test('a file is sent to its end by a worker that drains', LINUX, async (t) => {
  const site = await startLarge(t);
  const socket = await startReading(t, site);
  site.router.signal('SIGTERM');
  await site.router.event('stopping');
  const closed = once(socket, 'close');
  socket.resume();
  await closed;
  assert.ok(socket.bytesRead > LARGE);
  assert.equal(await site.router.exited(), 0);
});

test('without server.staticRoots no folder is served', async (t) => {
  const folder = folderWith(t, 'a', 'text');
  const router = await startRouter(t, { routes: { 'site.test': ['site', `file://${folder}`] } });
  const { status, headers, body } = await ask({ port: router.port, path: '/a', headers: { 'X-Debug': '1' } });
  assert.deepEqual([status, headers['x-router-error']], [502, 'no-backend']);
  assert.equal(headers['x-debug-error'], 'a folder outside of server.staticRoots');
  assert.ok(!JSON.stringify([headers, body]).includes(folder), 'where it is is for the operator');
  const { key, fault } = await router.event('route-fault');
  assert.deepEqual([key, fault], ['site.test', `file://${folder}: a folder outside of server.staticRoots`]);
});

test('a folder that cannot be served is passed over, and logged once a minute', async (t) => {
  const top = folderWith(t, 'a', 'file');
  const allowed = join(top, 'allowed');
  mkdirSync(allowed);
  symlinkSync('..', join(allowed, 'out'));
  writeFileSync(join(allowed, 'file'), '');
  const backend = await startBackend(t, (_request, response) => response.end('backend'));
  const sites: Readonly<Record<string, string>> = {
    'outside.test': top,
    'beside.test': `${allowed}-not`,
    'link.test': join(allowed, 'out'),
    'none.test': join(allowed, 'none'),
    'file.test': join(allowed, 'file'),
    'up.test': `${allowed}/..`,
  };
  mkdirSync(`${allowed}-not`);
  const routes = Object.entries(sites).map(([host, folder]) => [host, [host, `file://${folder}`, backend.url]]);
  const router = await startRouter(t, {
    routes: Object.fromEntries(routes) as Record<string, readonly string[]>,
    server: { staticRoots: allowed },
  });
  for (const host of Object.keys(sites)) {
    for (let i = 0; i < 25; i++) {
      const { status, body } = await ask({ port: router.port, host, path: '/a' });
      assert.deepEqual([status, body], [200, 'backend'], host);
    }
  }
  const told = () => router.log.filter(({ event }) => event === 'route-fault');
  const faults = await router.until('fault of each', () => told().length >= Object.keys(sites).length && told());
  assert.deepEqual(faults.map(({ key }) => String(key)).toSorted(), Object.keys(sites).toSorted());
  assert.match(String(faults.find(({ key }) => key === 'none.test')?.['fault']), /the folder cannot be read: ENOENT$/);
  assert.deepEqual(
    router.log.filter(({ event }) => event === 'backend-dead'),
    [],
  );
});

test('a root that comes later, or moves, is seen', async (t) => {
  const top = folderWith(t, 'a', 'text');
  const root = join(top, 'root');
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', `file://${root}`] },
    server: { staticRoots: ['/nowhere', root] },
  });
  const get = () => ask({ port: router.port, path: '/a' });
  assert.equal((await get()).status, 502);
  mkdirSync(root);
  writeFileSync(join(root, 'a'), 'late');
  assert.equal((await get()).body, 'late');
  rmSync(root, { recursive: true });
  symlinkSync('.', root);
  assert.equal((await get()).body, 'text');
});

test('what workers may not read is 404, and told of', async (t) => {
  const isRoot = process.getuid?.() === 0;
  const folder = folderWith(t, 'a', 'text');
  writeFileSync(join(folder, 'secret'), 'secret', { mode: 0 });
  writeFileSync(join(folder, 'a.gz'), 'secret', { mode: 0 });
  mkdirSync(join(folder, 'shut'), { mode: 0 });
  chmodSync(folder, 0o755);
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', `file://${folder}`], 'shut.test': ['shut', `file://${folder}/shut`] },
    server: { staticRoots: folder },
    // Root may read everything.
    config: { user: isRoot ? 'www-data' : userInfo().username },
  });
  for (const path of ['/secret', '/shut/x', '/shut/', '/shut']) {
    assert.equal((await ask({ port: router.port, path })).status, 404, path);
  }
  const { body } = await ask({ port: router.port, path: '/a', headers: { 'Accept-Encoding': 'gzip' } });
  assert.equal(body, 'text', 'the plain form will do');
  const { fault } = await router.event('route-fault');
  assert.equal(fault, `file://${folder}: a file cannot be read: EACCES`);
  assert.equal((await ask({ port: router.port, host: 'shut.test', path: '/x' })).status, 502);
});

test('over HTTP/2, several at a time, and a stream that is reset frees its file', LINUX, async (t) => {
  const site = await startLarge(t, { config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } } });
  writeFileSync(join(site.folder, 'a.css'), '0123456789');
  const session = await openSession(t, site.router.port);
  const get = (path: string, headers = {}) => request(session, { ':path': path, ...headers });
  const plain = await get('/a.css');
  assert.deepEqual(
    [plain.status, plain.body, plain.headers['content-type']],
    [200, '0123456789', 'text/css; charset=utf-8'],
  );
  assert.equal((await get('/a.css', { range: 'bytes=2-4' })).body, '234');
  assert.equal((await get('/a.css', { 'if-none-match': String(plain.headers.etag) })).status, 304);
  assert.equal((await get('/a.css', { ':method': 'HEAD' })).headers['content-length'], '10');
  assert.equal((await get('/a.css', { ':method': 'POST' })).status, 405);
  assert.equal((await get('/../etc/passwd')).status, 404);
  const many = await Promise.all(Array.from({ length: 30 }, () => get('/a.css')));
  assert.deepEqual(new Set(many.map(({ body }) => body)), new Set(['0123456789']));
  const stream = session.request({ ':authority': 'site.test', ':path': '/large' });
  stream.on('error', () => {});
  await once(stream, 'response');
  await eventually(() => assert.equal(site.open(), 1));
  stream.close(8);
  await eventually(() => assert.equal(site.open(), 0));
  assert.equal((await get('/large')).body.length, LARGE);
});
