// @one-lane: it is about files that workers may open
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startBackend, textOf } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { noLogger } from '../support/logger.ts';
import { privilegedPort } from '../support/ports.ts';
import { childrenOf, statusOf, workerOf, workersOf } from '../support/processes.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';
import { startStreamSyslog } from '../support/syslog.ts';
import { gid, groups, noUsers, uid, USER } from '../support/users.ts';

const needsRoot = { skip: noUsers };

/** Every worker of the router is an ordinary user's process, with that user's groups and no others. */
function assertHarmless(router: Router): void {
  const workers = workersOf(router);
  assert.notEqual(workers.length, 0);
  for (const pid of workers) {
    assert.deepEqual(
      statusOf(pid, 'Uid'),
      Array.from({ length: 4 }, () => String(uid)),
    );
    assert.deepEqual(
      statusOf(pid, 'Gid'),
      Array.from({ length: 4 }, () => String(gid)),
    );
    assert.deepEqual(statusOf(pid, 'Groups').toSorted(), groups.toSorted());
  }
}

const hello = (t: TestContext) => startBackend(t, (_request, response) => response.end('hello'));

test(
  'started as root on a port for root, workers are www-data: also respawned ones, and after a reload',
  needsRoot,
  async (t) => {
    const backend = await hello(t);
    const port = await privilegedPort();
    const routes = { 'site.test': ['site', backend.url] };
    const router = await startRouter(t, { routes, server: { workers: 2 }, config: { user: USER, http: { port } } });
    assert.equal((await ask({ port })).body, 'hello');
    assertHarmless(router);
    const [victim = 0] = workersOf(router);
    process.kill(victim, 'SIGKILL');
    await router.event('worker-died');
    await eventually(() => {
      assert.equal(workersOf(router).length, 2);
      assertHarmless(router);
    }, 10_000);
    router.signal('SIGHUP');
    await router.event('reloaded');
    assert.equal((await ask({ port })).body, 'hello');
    await eventually(() => assertHarmless(router));
  },
);

test(
  'the access log is made by the master for the workers, and made anew for them at SIGUSR1',
  needsRoot,
  async (t) => {
    const backend = await hello(t);
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o755);
    const accessLog = join(folder, 'logs', 'access.log');
    const routes = { 'site.test': ['site', backend.url] };
    const router = await startRouter(t, { routes, server: { accessLog }, config: { user: USER } });
    assert.equal(statSync(accessLog).uid, uid);
    assert.equal(statSync(accessLog).gid, gid);
    // Who may write it could put a link in the file's place.
    assert.equal(statSync(join(folder, 'logs')).uid, 0);
    renameSync(accessLog, `${accessLog}.1`);
    router.signal('SIGUSR1');
    await eventually(async () => {
      await ask({ port: router.port, path: '/rotated' });
      assert.match(readFileSync(accessLog, 'utf8'), /"GET \/rotated /);
    });
    assert.equal(statSync(accessLog).uid, uid);
    assert.equal(
      router.log.find(({ event }) => event === 'log-failed'),
      undefined,
    );
  },
);

test(
  'syslog is spoken to as the workers’ user, also after it was restarted',
  { skip: noUsers || noLogger },
  async (t) => {
    const backend = await hello(t);
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o755);
    const path = join(folder, 'log');
    const listen = async () => {
      const syslog = await startStreamSyslog(t, path);
      chmodSync(path, 0o666);
      return syslog;
    };
    const first = await listen();
    const routes = { 'site.test': ['site', backend.url] };
    const router = await startRouter(t, { routes, server: { accessLog: `syslog:${path}` }, config: { user: USER } });
    await ask({ port: router.port });
    await eventually(() => assert.equal(first.lines.length, 1));
    const assertLoggerIsHarmless = (): void => {
      const [logger = -1] = childrenOf(workerOf(router));
      assert.deepEqual(new Set(statusOf(logger, 'Uid')), new Set([String(uid)]));
      assert.deepEqual(statusOf(logger, 'Groups').toSorted(), groups.toSorted());
    };
    assertLoggerIsHarmless();
    await first.stop();
    await ask({ port: router.port });
    await router.event('log-failed');
    const second = await listen();
    await ask({ port: router.port, path: '/second' });
    await eventually(() => assert.match(second.lines.at(-1) ?? '', /"GET \/second /));
    assertLoggerIsHarmless();
  },
);

test('in a folder that only root may enter, the access log is opened anew too', needsRoot, async (t) => {
  const backend = await hello(t);
  // As mkdtemp makes it: 0700.
  const accessLog = join(temporaryFolder(t), 'access.log');
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes, server: { accessLog, workers: 2 }, config: { user: USER } });
  renameSync(accessLog, `${accessLog}.1`);
  router.signal('SIGUSR1');
  await eventually(async () => {
    assert.equal((await ask({ port: router.port, path: '/rotated' })).status, 200);
    assert.match(readFileSync(accessLog, 'utf8'), /"GET \/rotated /);
    // Two workers start anew for it.
  }, 20_000);
  // A worker that has just begun still holds its rights for a moment.
  await eventually(() => assertHarmless(router));
});

test(
  'certificates and routes that only root can read work, and are read anew by the master',
  { skip: noUsers || noOpenssl },
  async (t) => {
    const backend = await hello(t);
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'secret'), { mode: 0o700 });
    const pair = makePair(join(folder, 'secret'), 'site.test');
    for (const file of [pair.keyFile, pair.certFile]) chmodSync(file, 0o600);
    const router = await startRouter(t, {
      routes: { 'site.test': ['site', backend.url] },
      config: {
        user: USER,
        http: { bind: [] },
        https: { port: 0, bind: ['127.0.0.1'], key: pair.keyFile, cert: pair.certFile },
      },
    });
    assertHarmless(router);
    // The configuration's folder is for its owner alone, too: routes.json lies there.
    assert.equal(statSync(router.folder).mode & 0o077, 0);
    const askSecurely = async (): Promise<string> => {
      const options = { host: '127.0.0.1', port: router.port, servername: 'site.test', ca: pair.cert, agent: false };
      const out = request({ ...options, headers: { host: 'site.test' } }).end();
      const [answer] = (await once(out, 'response')) as [Parameters<typeof textOf>[0]];
      return await textOf(answer);
    };
    assert.equal(await askSecurely(), 'hello');
    router.signal('SIGHUP');
    await router.event('reloaded');
    assert.equal(await askSecurely(), 'hello');
    await eventually(() => assertHarmless(router));
  },
);

test('"user": "root" is taken at its word', needsRoot, async (t) => {
  const router = await startRouter(t, { routes: {}, config: { user: 'root' } });
  const [pid = 0] = workersOf(router);
  assert.equal(statusOf(pid, 'Uid')[0], '0');
});
