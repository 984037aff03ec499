// @one-lane: it is about how the master starts workers
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive, noProc, workersOf } from '../support/processes.ts';
import { freePort } from '../support/ports.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

const needsProc = { skip: noProc };

test('there is one worker per processor when nobody says otherwise', needsProc, async (t) => {
  const router = await startRouter(t, { routes: {}, server: { workers: null } });
  assert.equal(workersOf(router).length, availableParallelism());
  assert.equal((await router.event('ready'))['workers'], availableParallelism());
});

test('a worker that is killed is replaced, and requests go on meanwhile', needsProc, async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { workers: 2 } });
  const [victim = 0, other = 0] = workersOf(router);
  process.kill(victim, 'SIGKILL');
  const death = await router.event('worker-died');
  assert.equal(death['worker'], victim);
  assert.match(death.msg ?? '', /killed by SIGKILL/);
  for (let i = 0; i < 20; i++) assert.equal((await ask(router)).body, 'hello');
  await eventually(() => assert.equal(workersOf(router).length, 2));
  assert.ok(isAlive(other));
});

test('workers that die at once are replaced more and more slowly, until they live', needsProc, async (t) => {
  const folder = temporaryFolder(t);
  const doom = join(folder, 'doom');
  const module = join(folder, 'doom.mjs');
  writeFileSync(
    module,
    `import cluster from 'node:cluster';
     import { existsSync } from 'node:fs';
     if (cluster.isWorker && existsSync(${JSON.stringify(doom)})) process.exit(3);`,
  );
  // With its only worker the master lets go of the port: a free one would be another one afterwards.
  const port = await freePort();
  const router = await startRouter(t, {
    routes: {},
    config: { http: { port } },
    env: { NODE_OPTIONS: `--import ${module}` },
  });
  writeFileSync(doom, '');
  const [victim = 0] = workersOf(router);
  process.kill(victim, 'SIGKILL');
  const deaths = () => router.log.filter(({ event }) => event === 'worker-died');
  await router.until('four deaths', () => deaths().length >= 4);
  assert.deepEqual(
    deaths()
      .slice(0, 4)
      .map((death) => death['respawnMs']),
    [100, 200, 400, 800],
  );
  assert.match(deaths()[1]?.msg ?? '', /exited with code 3/);
  rmSync(doom);
  await eventually(async () => assert.equal((await ask({ port, host: '__ping__' })).body, 'ok'), 20_000);
});

/** What makes the system refuse a process, at a signal; a second one ends that. Each shows itself in a way of its own. */
const REFUSALS = {
  'by an error event': `process.execPath = isRefusing ? '/nowhere/node' : node;`,
  'by throwing': `if (isRefusing) process.env.LONG = 'x'.repeat(300_000); else delete process.env.LONG;`,
};

for (const [how, refuse] of Object.entries(REFUSALS)) {
  test(`where the system refuses a new worker ${how}, others are tried until one starts`, needsProc, async (t) => {
    const module = join(temporaryFolder(t), 'refuse.mjs');
    writeFileSync(
      module,
      `import cluster from 'node:cluster';
       const node = process.execPath;
       let isRefusing = false;
       if (cluster.isPrimary) process.on('SIGWINCH', () => {
         isRefusing = !isRefusing;
         ${refuse}
         console.error(JSON.stringify({ event: isRefusing ? 'refusing' : 'relenting' }));
       });`,
    );
    const backend = await startBackend(t, (_request, response) => response.end('hello'));
    const router = await startRouter(t, {
      routes: { 'site.test': ['site', backend.url] },
      server: { workers: 2 },
      env: { NODE_OPTIONS: `--import ${module}` },
    });
    router.signal('SIGWINCH');
    await router.event('refusing');
    router.signal('SIGHUP');
    assert.match((await router.event('reload-refused')).msg ?? '', /a worker could not be started: spawn .*E/);
    const [victim = 0, other = 0] = workersOf(router);
    process.kill(victim, 'SIGKILL');
    const deaths = () => router.log.filter(({ event }) => event === 'worker-died');
    await router.until('three deaths', () => deaths().length >= 3);
    assert.deepEqual(
      deaths()
        .slice(0, 3)
        .map((death) => death['worker']),
      [victim, undefined, undefined],
    );
    const delays = deaths().map((death) => Number(death['respawnMs']));
    assert.ok(Number(delays[1]) > 0 && Number(delays[2]) === 2 * Number(delays[1]), `${delays.join()} ms`);
    assert.match(
      deaths()[1]?.msg ?? '',
      /^a worker could not be started: spawn .*E\w+; its successor starts in \d+ ms$/,
    );
    assert.equal((await ask(router)).body, 'hello');
    router.signal('SIGWINCH');
    await router.event('relenting');
    await eventually(() => assert.equal(workersOf(router).length, 2), 20_000);
    assert.ok(isAlive(other));
    router.signal('SIGWINCH');
    await router.event(
      'refusing',
      router.log.findIndex(({ event }) => event === 'relenting'),
    );
    const from = router.log.length;
    process.kill(other, 'SIGKILL');
    await router.until('a death', () => router.log.slice(from).some((entry) => !entry['worker'] && entry['respawnMs']));
    router.signal('SIGTERM');
    await router.event('stopped');
    assert.equal(await router.exited(), 0);
  });
}
