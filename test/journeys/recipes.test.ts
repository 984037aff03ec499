/** docs/recipes.md, command by command: with the backends, folders and certificates of a test in the place of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { startBackend, startSocketBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { commandsOf, fencesOf } from '../support/markdown.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

const document = readFileSync(join(packageRoot, 'docs/recipes.md'), 'utf8');

/** The part of the document under a heading. */
function recipe(heading: string): string {
  const part = document.split(/^## /m).find((each) => each.startsWith(heading));
  assert.ok(part !== undefined, `docs/recipes.md has no recipe "${heading}"`);
  return part;
}

/** Runs a recipe's commands. @param own what stands in the place of the document's addresses and paths */
function run(heading: string, redis: TestRedis, own: Readonly<Record<string, string>> = {}): void {
  for (const { command } of commandsOf(recipe(heading))) apply(command, redis, own);
}

function apply(command: string, redis: TestRedis, own: Readonly<Record<string, string>>): void {
  const line = withOwn(command, own).replace('redis-cli ', `redis-cli -p ${redis.port} `);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
  assert.equal(status, 0, `${line}: ${stderr}`);
  assert.doesNotMatch(stdout, /ERR|WRONGTYPE/, line);
}

function withOwn(text: string, own: Readonly<Record<string, string>>): string {
  return Object.entries(own).reduce((changed, [theirs, ours]) => changed.replaceAll(theirs, ours), text);
}

/** A backend that says what it was asked for, and how many connections it was asked by. */
async function startApp(t: TestContext) {
  let connections = 0;
  const app = await startBackend(t, (request, response) => {
    request.resume();
    if (request.url?.endsWith('/login')) {
      response.writeHead(302, { Location: '/v2/home', 'Set-Cookie': 'a=1; Path=/v2' }).end();
    } else response.end(`app ${request.headers.host} ${request.url}`);
  });
  app.server.on('connection', () => connections++);
  return { app, own: { 'http://app:1323': app.url }, connections: () => connections };
}

test('h2o', { skip: noOpenssl }, async (t) => {
  const redis = await startRedis(t);
  const folder = temporaryFolder(t);
  const socket = join(folder, 'unicorn.sock');
  await startSocketBackend(t, socket, (request, response) => {
    response.end(`rails ${request.headers.host} ${request.url}`);
  });
  mkdirSync(join(folder, 'public/assets'), { recursive: true });
  writeFileSync(join(folder, 'public/assets/app.css'), 'body {}');
  const { keyFile, certFile } = makePair(folder, 'www.example.com');
  const own = {
    '/tmp/unicorn.sock': socket,
    '/path/to/app/public': join(folder, 'public'),
    '/etc/h2o/www.example.com.cer': certFile,
    '/etc/h2o/www.example.com.key.pem': keyFile,
  };
  const json = fencesOf(recipe('h2o')).find(({ language }) => language === 'json');
  const { server } = JSON.parse(withOwn(json?.lines.join('\n') ?? '', own)) as { server: Record<string, unknown> };
  const listen = { bind: '127.0.0.1', port: 0 };
  const router = await startRouter(t, {
    server,
    config: { http: listen, https: listen, driver: `redis://127.0.0.1:${redis.port}` },
  });
  run('h2o', redis, own);
  const [plain = 0, secure = 0] = router.urls.map((url) => Number(new URL(url).port));
  const host = 'www.example.com';
  const over = { port: secure, host, tls: { servername: host, ca: [readFileSync(certFile)] } };
  const moved = await ask({ port: plain, host, path: '/a?b' });
  assert.deepEqual([moved.status, moved.headers.location], [302, `https://${host}:${secure}/a?b`]);
  assert.equal((await ask({ ...over, path: '/a?b' })).body, 'rails www.example.com /a?b');
  const asset = await ask({ ...over, path: '/assets/app.css' });
  assert.deepEqual(
    [asset.status, asset.headers['content-type'], asset.body],
    [200, 'text/css; charset=utf-8', 'body {}'],
  );
  assert.equal((await ask({ ...over, path: '/assets/../secret' })).status, 404);
});

test('Apache', async (t) => {
  const redis = await startRedis(t);
  const { own, connections } = await startApp(t);
  const { port } = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  run('Apache: ProxyPassMatch', redis, own);
  run('Apache: ProxyPass with', redis, own);
  const said = async (path: string, host = 'localhost') => (await ask({ port, host, path })).body;
  for (let i = 0; i < 10; i++) assert.equal(await said('/app/users/1234'), 'app localhost /users/1234');
  assert.equal(connections(), 1, 'connections to the backend are kept');
  assert.equal(await said('/app/users/12345'), 'app localhost /app/users/12345');
  assert.equal((await ask({ port, host: 'localhost', path: '/' })).status, 400);
  assert.equal(await said('/api/items?all', 'shop.example.com'), 'app shop.example.com /v2/items?all');
  const { headers } = await ask({ port, host: 'shop.example.com', path: '/api/login' });
  assert.deepEqual([headers.location, headers['set-cookie']], ['/api/home', ['a=1; Path=/api']]);
});

test('nginx', async (t) => {
  const redis = await startRedis(t);
  const { own } = await startApp(t);
  const { port } = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  run('nginx', redis, own);
  for (const host of ['example.com', 'old.example.com']) {
    const { status, headers } = await ask({ port, host, path: '/a?b' });
    assert.deepEqual([status, headers.location], [301, 'http://www.example.com/a?b']);
  }
  const closed = await ask({ port, host: 'www.example.com' });
  assert.deepEqual([closed.status, closed.headers['retry-after'], closed.body], [503, '600', '<h1>Back soon</h1>']);
  const [, reopen = ''] = /`(redis-cli [^`]*)`/.exec(recipe('nginx')) ?? [];
  apply(reopen, redis, {});
  assert.equal((await ask({ port, host: 'www.example.com' })).body, 'app www.example.com /');
});

test('a failover', async (t) => {
  const redis = await startRedis(t);
  const { own } = await startApp(t);
  const { port } = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  await redis.cli('rpush', 'frontend:db.example.com', 'db', 'http://127.0.0.1:1');
  const [pause, move, open] = commandsOf(recipe('A failover')).map(({ command }) => command);
  assert.ok(pause && move && open);
  apply(pause, redis, own);
  const held = ask({ port, host: 'db.example.com', path: '/held' });
  apply(move, redis, own);
  apply(open, redis, own);
  assert.equal((await held).body, 'app db.example.com /held');
});
