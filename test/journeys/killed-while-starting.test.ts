/** Workers that end before they are ready: at the start, in a reload, and in an upgrade. */
// @one-lane: workers end before they serve
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { noProc, workersOf } from '../support/processes.ts';
import { freePort } from '../support/ports.ts';
import { launchRouter, type Router, temporaryFolder } from '../support/router.ts';

const needsProc = { skip: noProc };

interface Scene {
  readonly router: Router;
  readonly port: number;
  /** The next workers, as many as there are endings, are held before they say anything; then they end like this. With several workers, the first of a program is spared. */
  readonly hold: (...endings: readonly (NodeJS.Signals | number)[]) => void;
  /** Resolves with the process id of the next worker that is held, once there is one. */
  readonly held: () => Promise<number>;
  /** Lets it end. */
  readonly end: () => Promise<number>;
}

/** A router whose workers can be held, with a site. `endings`: of those that are held at the start. */
async function scene(
  t: TestContext,
  workers: number,
  ...endings: readonly (NodeJS.Signals | number)[]
): Promise<Scene> {
  const folder = temporaryFolder(t);
  const module = join(folder, 'hold.mjs');
  writeFileSync(
    module,
    `import cluster from 'node:cluster';
     import { existsSync, readFileSync, readdirSync, renameSync } from 'node:fs';
     const folder = ${JSON.stringify(folder)};
     const held = folder + '/held-' + process.pid;
     const mine = cluster.isWorker && (cluster.worker.id > 1 || ${workers === 1}) && readdirSync(folder).sort().find((name) => {
       if (!name.startsWith('hold-')) return false;
       try { renameSync(folder + '/' + name, held); return true; } catch { return false; }
     });
     if (mine) {
       const how = readFileSync(held, 'utf8');
       while (!existsSync(held + '-go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
       if (how > 0) process.exit(Number(how));
       process.kill(process.pid, how);
     }`,
  );
  let count = 0;
  const hold = (...next: typeof endings): void => {
    for (const how of next) writeFileSync(join(folder, `hold-${String(count++).padStart(3, '0')}`), String(how));
  };
  const held = (): Promise<number> =>
    eventually(() => {
      const name = readdirSync(folder).find(
        (each) => /^held-\d+$/.test(each) && !existsSync(join(folder, `${each}-go`)),
      );
      assert.ok(name, 'no worker is held');
      return Number(name.slice('held-'.length));
    }, 20_000);
  const end = async (): Promise<number> => {
    const pid = await held();
    writeFileSync(join(folder, `held-${pid}-go`), '');
    return pid;
  };
  hold(...endings);
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  const port = await freePort();
  const router = launchRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { workers },
    config: { http: { port, bind: ['127.0.0.1'] } },
    env: { NODE_OPTIONS: `--import ${module}` },
  });
  return { router, port, hold, held, end };
}

/** Resolves when some worker serves. */
async function served(port: number): Promise<void> {
  await eventually(async () => assert.equal((await ask({ port })).body, 'hello'), 20_000);
}

const deathsIn = ({ log }: Router, from = 0): readonly number[] =>
  log
    .slice(from)
    .filter(({ event }) => event === 'worker-died')
    .map((death) => Number(death['respawnMs']));

for (const [how, words] of [
  ['SIGKILL', /killed by SIGKILL/],
  ['SIGSEGV', /killed by SIGSEGV/],
  [3, /exited with code 3/],
] as const) {
  test(
    `a worker that ends by ${how} while the first generation starts is replaced, and the other serves on`,
    needsProc,
    async (t) => {
      const { router, port, end } = await scene(t, 2, how);
      await served(port);
      const victim = await end();
      const death = await router.event('worker-died');
      assert.equal(death['worker'], victim);
      assert.match(death.msg ?? '', words);
      await router.event('ready');
      assert.equal(workersOf(router).length, 2);
      assert.equal((await ask({ port })).body, 'hello');
    },
  );
}

test('the only worker, killed while it starts, is replaced, too', needsProc, async (t) => {
  const { router, port, end } = await scene(t, 1, 'SIGKILL', 'SIGKILL');
  await end();
  await end();
  await router.event('ready');
  assert.deepEqual(deathsIn(router), [100, 200]);
  assert.equal((await ask({ port })).body, 'hello');
});

test(
  'a router whose workers are killed whenever they start ends after five of them, with the reason',
  needsProc,
  async (t) => {
    const { router, end } = await scene(t, 1, ...Array<'SIGKILL'>(6).fill('SIGKILL'));
    for (let i = 0; i < 5; i++) await end();
    assert.equal(await router.exited(), 1);
    assert.deepEqual(deathsIn(router), [100, 200, 400, 800]);
    const { msg } = await router.event('start-failed');
    assert.equal(msg, 'hipache cannot start: a worker was killed by SIGKILL before it was ready, 5 times in a row');
  },
);

test('a router with a worker that is killed whenever it starts serves with the other', needsProc, async (t) => {
  const { router, port, end } = await scene(t, 2, ...Array<'SIGKILL'>(6).fill('SIGKILL'));
  await served(port);
  // It is the same place each time: the other one has its worker.
  for (let i = 0; i < 5; i++) await end();
  await router.event('ready');
  assert.deepEqual(deathsIn(router), [100, 200, 400, 800, 1600]);
  assert.equal((await ask({ port })).body, 'hello');
  await end();
  await eventually(() => assert.equal(workersOf(router).length, 2), 20_000);
});

test(
  'a worker that exits with a code while no other serves ends the router at once: its start is at fault',
  needsProc,
  async (t) => {
    const { router, end } = await scene(t, 1, 3);
    await end();
    assert.equal(await router.exited(), 1);
    const { msg } = await router.event('start-failed');
    assert.equal(msg, 'hipache cannot start: a worker exited with code 3 before it was ready');
  },
);

test('a worker that is killed while a reload starts it is replaced, and the reload is made', needsProc, async (t) => {
  const { router, port, hold, end } = await scene(t, 2);
  await router.event('ready');
  hold('SIGKILL', 'SIGKILL');
  router.signal('SIGHUP');
  await end();
  await end();
  await router.event('reloaded');
  assert.deepEqual(deathsIn(router), [100, 100]);
  assert.equal((await ask({ port })).body, 'hello');
  await eventually(() => assert.equal(workersOf(router).length, 2), 20_000);
});

test('a reload whose worker is killed five times is refused, and the old workers go on', needsProc, async (t) => {
  const { router, port, hold, end } = await scene(t, 1);
  await router.event('ready');
  const before = workersOf(router);
  hold(...Array<'SIGKILL'>(5).fill('SIGKILL'));
  router.signal('SIGHUP');
  for (let i = 0; i < 5; i++) await end();
  assert.match(
    (await router.event('reload-refused')).msg ?? '',
    /killed by SIGKILL before it was ready, 5 times in a row/,
  );
  assert.equal((await ask({ port })).body, 'hello');
  assert.deepEqual(workersOf(router), before);
});

test('a worker of the old generation that is killed while a reload starts is replaced, too', needsProc, async (t) => {
  const { router, port, hold, held, end } = await scene(t, 1);
  await router.event('ready');
  const [old = 0] = workersOf(router);
  hold('SIGKILL');
  router.signal('SIGHUP');
  await held();
  process.kill(old, 'SIGKILL');
  await eventually(() => assert.ok(router.log.some((entry) => entry['worker'] === old)), 20_000);
  await served(port);
  await end();
  await router.event('reloaded');
  assert.equal((await ask({ port })).body, 'hello');
});

test(
  'a worker that is killed while an upgrade starts it is replaced, and the new program serves',
  needsProc,
  async (t) => {
    const { router, port, hold, end } = await scene(t, 2);
    await router.event('ready');
    hold('SIGKILL');
    router.signal('SIGUSR2');
    await end();
    await router.event('upgraded');
    assert.deepEqual(deathsIn(router), [100]);
    assert.equal((await ask({ port })).body, 'hello');
  },
);

test(
  'an upgrade whose worker is killed five times is refused: the new program does not take over with fewer workers',
  needsProc,
  async (t) => {
    const { router, port, hold, end } = await scene(t, 2);
    await router.event('ready');
    hold(...Array<'SIGKILL'>(5).fill('SIGKILL'));
    router.signal('SIGUSR2');
    for (let i = 0; i < 5; i++) await end();
    assert.match((await router.event('upgrade-failed')).msg ?? '', /this program continues/);
    assert.equal((await ask({ port })).body, 'hello');
    assert.equal(workersOf(router).length, 2);
  },
);

test('a stop while a worker starts again and again ends the router', needsProc, async (t) => {
  const { router, held, end } = await scene(t, 1, 'SIGKILL', 'SIGKILL', 'SIGKILL');
  await end();
  await held();
  router.signal('SIGTERM');
  await router.event('stopping');
  await end();
  assert.equal(await router.exited(), 0);
  assert.deepEqual(deathsIn(router), [100]);
});
