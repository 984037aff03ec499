/** Nothing that a collector does, or that is not there, keeps a request from being served. */
// @one-lane: spans of both lanes are exported in one place
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { refusingUrl, says, startBackend, startRawBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { Load } from '../support/load.ts';
import { type Router, startRouter, temporaryFolder, writeConfig } from '../support/router.ts';

async function start(t: TestContext, endpoint: string, timeout: number): Promise<Router> {
  const backend = await startBackend(t, says('hello'));
  const routes = { 'site.test': ['site', backend.url] };
  return startRouter(t, { routes, config: { otel: { endpoint, sample: 1, timeout } } });
}

/** Sends more than may wait, without pause. Resolves when all was answered. */
async function flood(t: TestContext, { port }: Router, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const load = new Load(t, port, { clients: 16, agent, pauseMs: 0 });
  await load.answers(count);
  assert.deepEqual(await load.stop(), []);
  agent.destroy();
}

async function stopsWithin(router: Router, limitMs: number): Promise<void> {
  const startedAt = performance.now();
  router.signal('SIGTERM');
  assert.equal(await router.exited(), 0);
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < limitMs, `${tookMs} ms`);
}

const droppedIn = ({ log }: Router): number =>
  log.filter(({ event }) => event === 'spans-dropped').reduce((sum, { count }) => sum + Number(count), 0);

test('a collector that never answers costs spans, and is logged', async (t) => {
  const sockets = new Set<Socket>();
  const silent = await startRawBackend(t, (socket) => {
    sockets.add(socket);
    socket.resume();
  });
  const router = await start(t, `${silent.url}/v1/traces`, 60);
  await flood(t, router, 4_000);
  // 2,048 wait and 64 are under way, with two spans each.
  const { level, count } = await router.event('spans-dropped');
  assert.deepEqual([level, typeof count], ['warn', 'number']);
  assert.ok(sockets.size <= 1, `${sockets.size} connections to the collector`);
  await stopsWithin(router, 15_000);
  assert.ok(droppedIn(router) >= 8_000, `${droppedIn(router)} were dropped`);
  // At first, and at the end what came since.
  assert.equal(router.log.filter(({ event }) => event === 'spans-dropped').length, 2);
});

test('one that refuses likewise, and is logged once', async (t) => {
  const router = await start(t, refusingUrl(), 0.1);
  assert.equal((await ask(router)).body, 'hello');
  const { level, cause } = await router.event('trace-export-failed');
  assert.equal(level, 'error');
  assert.match(String(cause), /ECONNREFUSED/);
  assert.equal(droppedIn(router), 2);
  await flood(t, router, 200);
  await stopsWithin(router, 15_000);
  assert.equal(router.log.filter(({ event }) => event === 'trace-export-failed').length, 1);
  assert.ok(droppedIn(router) >= 402);
});

test('so does one that answers with an error, or in no language we know', async (t) => {
  for (const answer of ['HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\nno one', 'SSH-2.0-x\r\n']) {
    const { url } = await startRawBackend(t, (socket) => socket.on('data', () => socket.end(answer)));
    const router = await start(t, url, 0.1);
    assert.equal((await ask(router)).body, 'hello');
    await router.event('trace-export-failed');
    assert.equal((await ask(router)).body, 'hello');
    assert.deepEqual(
      router.log.filter(({ event }) => event?.startsWith('worker-')),
      [],
    );
  }
});

/** The scripts that workers of a router have loaded, by their URLs. Only a process that ends in order writes them down. */
async function scriptsOf(t: TestContext, config: object): Promise<string> {
  const folder = temporaryFolder(t);
  const router = await startRouter(t, { routes: {}, config: { ...config }, env: { NODE_V8_COVERAGE: folder } });
  assert.equal((await ask(router)).status, 400);
  assert.equal(await router.stop(), 0);
  const reports = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  assert.ok(reports.length >= 2, 'the master’s and the worker’s');
  const urls = reports.flatMap((text) =>
    (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url),
  );
  return urls.join('\n');
}

test('who does not export loads nothing of OpenTelemetry', async (t) => {
  const off = await scriptsOf(t, { otel: { sample: 1 } });
  assert.match(off, /lib\/cluster\/worker\/worker-main\.js/);
  assert.doesNotMatch(off, /opentelemetry/);
  assert.match(await scriptsOf(t, { otel: { endpoint: refusingUrl() } }), /opentelemetry/);
});

test('without its packages the router starts, and says what is missing when they are asked for', async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['dist', 'config', 'package.json']) {
    cpSync(join(packageRoot, name), join(folder, name), { recursive: true });
  }
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(packageRoot, 'node_modules'))) {
    if (name.startsWith('.') || name === '@opentelemetry') continue;
    symlinkSync(join(packageRoot, 'node_modules', name), join(folder, 'node_modules', name));
  }
  const command = join(folder, 'dist/bin/hipache.js');
  const path = writeConfig(folder, { routes: {}, config: { otel: { endpoint: refusingUrl() } } });
  const { status, stderr } = spawnSync(process.execPath, [command, '--config', path], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /"event":"start-failed".*otel\.endpoint is set, but OpenTelemetry’s packages are not installed/);
  const { status: dry } = spawnSync(process.execPath, [command, '--dry', '--config', path], { encoding: 'utf8' });
  assert.equal(dry, 0);
});
