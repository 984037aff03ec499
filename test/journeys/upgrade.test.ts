/** USR2: another program in the place of this one, and nobody notices. */
// @waits: for old processes to end
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { Load } from '../support/load.ts';
import { haveEnded, isAlive, noProc } from '../support/processes.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

const SECONDS = Number(process.env['SECONDS'] ?? 4);

/** Sends USR2 to a master. Resolves with the process id of the one that serves now. */
async function upgrade(router: Router, master: number): Promise<number> {
  const from = router.log.length;
  process.kill(master, 'SIGUSR2');
  const { successor } = await router.event('upgraded', from);
  return Number(successor);
}

test('USR2 starts the program anew on the same port, and the old one ends', { skip: noProc }, async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const pidFile = join(temporaryFolder(t), 'hipache.pid');
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes, server: { pidFile } });
  const { port } = router;
  const old = router.process.pid ?? 0;
  assert.equal(readFileSync(pidFile, 'utf8'), `${old}\n`);
  const ended = once(router.process, 'exit');
  const successor = await upgrade(router, old);
  assert.equal((await ask({ port })).body, 'ok');
  assert.deepEqual(await ended, [0, null]);
  assert.equal(readFileSync(pidFile, 'utf8'), `${successor}\n`);
  assert.equal((await ask({ port })).body, 'ok');
  // It can be replaced and stopped like the first one.
  const third = await upgrade(router, successor);
  assert.equal((await ask({ port })).body, 'ok');
  process.kill(third, 'SIGTERM');
  // The second one may still listen for a moment after it has been replaced.
  await haveEnded([successor, third]);
  await assert.rejects(ask({ port }), { code: 'ECONNREFUSED' });
  assert.throws(() => readFileSync(pidFile), { code: 'ENOENT' });
});

test('USR2 again and again costs clients at full speed nothing', { skip: noProc }, async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes, server: { workers: 2 } });
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  t.after(() => agent.destroy());
  const loads = [new Load(t, router.port, { agent }), new Load(t, router.port)];
  const until = performance.now() + SECONDS * 1000;
  let master = router.process.pid ?? 0;
  while (performance.now() < until) {
    master = await upgrade(router, master);
    await loads[0]?.answers(50);
  }
  assert.deepEqual((await Promise.all(loads.map((load) => load.stop()))).flat(), []);
});

test('a program that does not come up leaves the old one as it was', { skip: noProc }, async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const path = join(router.folder, 'config.json');
  const good = readFileSync(path, 'utf8');
  writeFileSync(path, '{ "server": { "workers": "none" } }');
  router.signal('SIGUSR2');
  assert.match((await router.event('upgrade-failed')).msg ?? '', /this program continues/);
  assert.equal((await ask(router)).body, 'ok');
  writeFileSync(path, good);
  router.signal('SIGHUP');
  await router.event('reloaded');
  assert.equal((await ask(router)).body, 'ok');
});

test('WebSockets of the old program go on until they end', { skip: noProc }, async (t) => {
  const backend = await startWebSocketBackend(t);
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const old = router.process.pid ?? 0;
  const client = openWebSocket(t, `ws://127.0.0.1:${router.port}/`, 'site.test');
  await once(client, 'open');
  const ended = once(router.process, 'exit');
  await upgrade(router, old);
  client.send('still here');
  assert.equal(String((await once(client, 'message'))[0]), 'still here');
  assert.equal(isAlive(old), true);
  client.close();
  assert.deepEqual(await ended, [0, null]);
});
