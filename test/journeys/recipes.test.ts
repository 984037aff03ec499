/** Commands of docs/how-to, as they are written: with backends, folders and certificates of a test instead of the documents'. */
// @one-lane: it is about commands of documents; journeys/site-features shows that both lanes do the same with each option
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { adminOf, metric } from '../support/admin.ts';
import { startBackend, startSocketBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { PROGRAM } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { commandsOf, fencesOf } from '../support/markdown.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

const OTHERS = 'from-h2o-apache-nginx.md';

/** The part of a how-to under a heading. */
function recipe(heading: string, name = OTHERS): string {
  const document = readFileSync(join(packageRoot, 'docs/how-to', name), 'utf8');
  const part = document.split(/^## /m).find((each) => each.startsWith(heading));
  assert.ok(part !== undefined, `docs/how-to/${name} has no heading "${heading}"`);
  return part;
}

/** Runs a recipe's commands. @param own what stands in the place of the document's addresses and paths */
function run(heading: string, redis: TestRedis, own: Readonly<Record<string, string>> = {}): void {
  for (const { command } of commandsOf(recipe(heading))) apply(command, redis, own);
}

function apply(command: string, redis: TestRedis, own: Readonly<Record<string, string>>): void {
  const line = withOwn(command, own)
    .replaceAll('redis-cli ', `redis-cli -p ${redis.port} `)
    .replace(/^hipache (.*)$/, `"${process.execPath}" "${PROGRAM}" $1 --driver redis://127.0.0.1:${redis.port}`);
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
    '/run/unicorn/app.sock': socket,
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
  const router = await startRouter(t, {
    config: { driver: `redis://127.0.0.1:${redis.port}`, admin: { port: 0 } },
  });
  const { port } = router;
  const admin = await adminOf(router);
  await redis.cli('rpush', 'frontend:db.example.com', 'db', 'http://127.0.0.1:1');
  const [pause, move, open] = commandsOf(recipe('Fail over', 'maintenance.md')).map(({ command }) => command);
  assert.ok(pause && move && open);
  apply(pause, redis, own);
  const held = ask({ port, host: 'db.example.com', path: '/held' });
  await eventually(async () => assert.equal(await metric(admin, 'hipache_exchanges'), 1));
  apply(move, redis, own);
  apply(open, redis, own);
  assert.equal((await held).body, 'app db.example.com /held');
});

test('maintenance', async (t) => {
  const redis = await startRedis(t);
  const { own, app } = await startApp(t);
  const { port } = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  await redis.cli('rpush', 'frontend:www.example.com', 'www', app.url);
  const [close, page, open] = commandsOf(recipe('Show a maintenance page', 'maintenance.md'));
  assert.ok(close && page && open);
  apply(close.command, redis, own);
  apply(page.command, redis, own);
  const closed = await ask({ port, host: 'www.example.com' });
  assert.deepEqual([closed.status, closed.headers['retry-after'], closed.body], [503, '600', '<h1>Back soon</h1>']);
  apply(open.command, redis, own);
  assert.equal((await ask({ port, host: 'www.example.com' })).body, 'app www.example.com /');
});

test('a certificate, its challenge, its renewal and a redirect to it', { skip: noOpenssl }, async (t) => {
  const redis = await startRedis(t);
  const { app } = await startApp(t);
  const folder = temporaryFolder(t);
  const { keyFile, certFile } = makePair(folder, 'www.example.com');
  copyFileSync(certFile, join(folder, 'fullchain.pem'));
  copyFileSync(keyFile, join(folder, 'privkey.pem'));
  const listen = { bind: '127.0.0.1', port: 0 };
  const driver = `redis://127.0.0.1:${redis.port}`;
  const router = await startRouter(t, { config: { http: listen, https: listen, driver } });
  const [plain = 0, secure = 0] = router.urls.map((url) => Number(new URL(url).port));
  const host = 'www.example.com';
  await redis.cli('rpush', `frontend:${host}`, 'www', app.url);
  const overTls = () =>
    ask({ port: secure, host, tls: { servername: host, ca: [readFileSync(certFile)] }, path: '/secure' });
  await assert.rejects(overTls());

  const [add, explain, lint] = commandsOf(recipe('Add or renew', 'certificates.md'));
  assert.ok(add && explain && lint);
  const own = { 'fullchain.pem': join(folder, 'fullchain.pem'), 'privkey.pem': join(folder, 'privkey.pem') };
  for (const { command } of [add, explain, lint]) apply(command, redis, own);
  assert.equal((await overTls()).body, `app ${host} /secure`);

  const challenge = recipe('Get certificates', 'certificates.md');
  const routed = commandsOf(challenge).filter(({ command }) => command.startsWith('redis-cli '));
  assert.equal(routed.length, 2);
  for (const { command } of routed) apply(command, redis, { 'http://127.0.0.1:8402': app.url });
  const token = '/.well-known/acme-challenge/token';
  assert.equal((await ask({ port: plain, host, path: token })).body, `app ${host} ${token}`);

  const hook = fencesOf(challenge).find(({ language }) => language === 'sh');
  const script = hook?.lines.join('\n').replaceAll('redis-cli ', `redis-cli -p ${redis.port} `) ?? '';
  const env = { ...process.env, RENEWED_LINEAGE: folder, RENEWED_DOMAINS: 'a.example.com b.example.com' };
  const { status, stderr } = spawnSync('sh', ['-c', script], { env, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  for (const each of ['a.example.com', 'b.example.com']) {
    assert.equal(await redis.cli('hget', `tls:${each}`, 'key'), readFileSync(keyFile, 'utf8').trimEnd());
  }

  const [redirect] = commandsOf(recipe('Redirect to https', 'certificates.md'));
  assert.ok(redirect);
  apply(redirect.command, redis, {});
  const { headers } = await ask({ port: plain, host, path: '/a?b' });
  assert.equal(headers.location, `https://${host}:${secure}/a?b`);
});
