/** The access log by syslog. */
// @one-lane: lines of both lanes are written in one place
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { noLogger } from '../support/logger.ts';
import { childrenOf, haveEnded, noProc, workersOf } from '../support/processes.ts';
import { noPython } from '../support/python.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { startDatagramSyslog, startStreamSyslog, type Syslog } from '../support/syslog.ts';

const targetsIn = (syslog: Syslog): readonly (string | undefined)[] =>
  syslog.lines.map((line) => / (\/\S*) HTTP/.exec(line)?.[1]);

for (const [kind, listen, without] of [
  ['a stream', startStreamSyslog, false],
  ['datagrams', startDatagramSyslog, noPython],
] as const) {
  test(`every line comes, also about a reload, USR1 and the end: ${kind}`, { skip: noLogger || without }, async (t) => {
    const { url } = await startBackend(t, says('ok'));
    const path = join(temporaryFolder(t), 'log');
    const syslog = await listen(t, path);
    const server = { workers: 2, accessLog: `syslog:${path}` };
    const router = await startRouter(t, { routes: { 'site.test': ['site', url] }, server });
    const asked: string[] = [];
    const askSome = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        asked.push(`/${asked.length}`);
        await ask({ port: router.port, path: asked.at(-1) ?? '/' });
      }
    };
    await askSome(20);
    router.signal('SIGUSR1');
    await askSome(20);
    router.signal('SIGHUP');
    const reloaded = router.event('reloaded');
    await askSome(20);
    await reloaded;
    await askSome(20);
    const loggers = noProc ? [] : workersOf(router).flatMap(childrenOf);
    assert.equal(await router.stop(), 0);
    await haveEnded(loggers);
    await eventually(() => assert.equal(syslog.lines.length, asked.length));
    assert.deepEqual(new Set(targetsIn(syslog)), new Set(asked));
    assert.match(
      syslog.lines.find((line) => line.includes(' /0 ')) ?? '',
      /^::ffff:127\.0\.0\.1 - - \[.*\] "GET \/0 HTTP\/1\.1" 200 2 "-" "-" "site" [0-9.]+ [0-9.]+$/,
    );
    assert.deepEqual(syslog.strange, []);
    assert.deepEqual(
      router.log.filter(({ event }) => event === 'log-failed'),
      [],
    );
  });
}

test(
  'a socket that is not there keeps nobody from being served, and lines wait for it',
  { skip: noLogger },
  async (t) => {
    const { url } = await startBackend(t, says('ok'));
    const path = join(temporaryFolder(t), 'log');
    const router = await startRouter(t, {
      routes: { 'site.test': ['site', url] },
      server: { accessLog: `syslog:${path}` },
    });
    const { cause, msg } = await router.event('log-failed');
    assert.equal(cause, `socket ${path}: No such file or directory`);
    assert.equal(msg, `the access log cannot be sent to syslog: ${cause}`);
    assert.equal((await ask({ port: router.port, path: '/early' })).status, 200);
    const syslog = await startStreamSyslog(t, path);
    assert.equal((await router.event('log-restored'))['lost'], 0);
    await eventually(() => assert.deepEqual(targetsIn(syslog), ['/early']));
    assert.equal(await router.stop(), 0);
    assert.equal(router.log.filter(({ event }) => event === 'log-failed').length, 1);
  },
);

test('when the master is killed, workers still send what they have', { skip: noLogger }, async (t) => {
  const { url } = await startBackend(t, says('ok'));
  const path = join(temporaryFolder(t), 'log');
  const syslog = await startStreamSyslog(t, path);
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', url] },
    server: { accessLog: `syslog:${path}` },
  });
  await ask({ port: router.port, path: '/first' });
  await eventually(() => assert.deepEqual(targetsIn(syslog), ['/first']));
  await ask({ port: router.port, path: '/last' });
  router.signal('SIGKILL');
  await eventually(() => assert.deepEqual(targetsIn(syslog), ['/first', '/last']));
});
