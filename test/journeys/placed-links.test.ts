/** What another user has put in the way of files that root opens: links, hard links, files of others. */
// @one-lane: it is about files that root opens
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { shakeHands } from '../support/handshakes.ts';
import { workerOf } from '../support/processes.ts';
import { launchRouter, type Router, startRouter, temporaryFolder } from '../support/router.ts';
import { gid, noUsers, uid, USER } from '../support/users.ts';

const SECRET = 'for root alone\n';

interface Scene {
  /** Of the workers' user, who may put anything in it. */
  readonly theirs: string;
  /** A file that only root may read. */
  readonly secret: string;
}

function begin(t: TestContext): Scene {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o755);
  const [theirs, secret] = [join(folder, 'theirs'), join(folder, 'secret')];
  mkdirSync(theirs);
  chownSync(theirs, uid, gid);
  writeFileSync(secret, SECRET, { mode: 0o600 });
  return { theirs, secret };
}

function assertUntouched({ secret }: Scene): void {
  const { uid: owner, gid: group, mode } = statSync(secret);
  assert.deepEqual([owner, group, mode & 0o7777], [0, 0, 0o600]);
  assert.equal(readFileSync(secret, 'utf8'), SECRET);
}

/** A link as the workers' user makes it. */
function placeLink(target: string, path: string): void {
  symlinkSync(target, path);
  lchownSync(path, uid, gid);
}

const PLACED: ReadonlyMap<string, (target: string, path: string) => void> = new Map([
  ['a link', placeLink],
  ['a hard link', linkSync],
]);

async function failureOf(router: Router): Promise<string> {
  assert.equal(await router.exited(), 1);
  return String(router.log.find(({ event }) => event === 'start-failed')?.msg);
}

const hello = (t: TestContext) => startBackend(t, (_request, response) => response.end('hello'));

describe('the access log', { skip: noUsers }, () => {
  for (const [what, place] of PLACED) {
    test(`that is ${what} of the workers' user to a file of root's keeps the router from its start`, async (t) => {
      const scene = begin(t);
      const accessLog = join(scene.theirs, 'access.log');
      place(scene.secret, accessLog);
      const router = launchRouter(t, { routes: {}, server: { accessLog }, config: { user: USER } });
      const failure = await failureOf(router);
      assert.match(
        failure,
        /^hipache cannot start: server\.accessLog: \S+access\.log (?:is reached by the link|has 2 names)/,
      );
      assertUntouched(scene);
    });

    test(`that becomes ${what} to a file of root's is refused, and requests go on being served`, async (t) => {
      const scene = begin(t);
      const backend = await hello(t);
      const accessLog = join(scene.theirs, 'access.log');
      const routes = { 'site.test': ['site', backend.url] };
      const router = await startRouter(t, { routes, server: { accessLog }, config: { user: USER } });
      renameSync(accessLog, `${accessLog}.1`);
      place(scene.secret, accessLog);
      router.signal('SIGUSR1');
      assert.match(
        String((await router.event('log-failed'))['cause']),
        /access\.log (?:is reached by the link|has 2 names)/,
      );
      router.signal('SIGHUP');
      assert.match(
        String((await router.event('reload-refused'))['cause']),
        /access\.log (?:is reached by the link|has 2 names)/,
      );
      const from = router.log.length;
      process.kill(workerOf(router), 'SIGKILL');
      await router.event('worker-died', from);
      await eventually(async () => assert.equal((await ask({ port: router.port })).body, 'hello'), 10_000);
      assert.match(
        String((await router.event('log-failed', from))['cause']),
        /access\.log (?:is reached by|has 2 names)/,
      );
      assertUntouched(scene);
      // What is put right is used again.
      rmSync(accessLog);
      router.signal('SIGUSR1');
      await eventually(async () => {
        await ask({ port: router.port, path: '/again' });
        assert.match(readFileSync(accessLog, 'utf8'), /"GET \/again /);
      });
    });
  }

  test('is made in a folder that stays root’s', async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o755);
    const accessLog = join(folder, 'logs', 'access.log');
    await startRouter(t, { routes: {}, server: { accessLog }, config: { user: USER } });
    assert.equal(statSync(join(folder, 'logs')).uid, 0);
    assert.equal(statSync(accessLog).uid, uid);
  });

  test('of an installation whose folder was given to the workers’ user goes on, also over a rotation', async (t) => {
    const scene = begin(t);
    const backend = await hello(t);
    const accessLog = join(scene.theirs, 'access.log');
    writeFileSync(accessLog, 'before\n', { mode: 0o640 });
    chownSync(accessLog, uid, gid);
    const routes = { 'site.test': ['site', backend.url] };
    const router = await startRouter(t, { routes, server: { accessLog }, config: { user: USER } });
    const logged = async (path: string): Promise<void> => {
      await ask({ port: router.port, path });
      await eventually(() => assert.match(readFileSync(accessLog, 'utf8'), new RegExp(`"GET ${path} `)));
    };
    await logged('/one');
    assert.match(readFileSync(accessLog, 'utf8'), /^before\n/);
    renameSync(accessLog, `${accessLog}.1`);
    router.signal('SIGUSR1');
    await eventually(() => assert.equal(statSync(accessLog).uid, uid));
    await eventually(async () => {
      await ask({ port: router.port, path: '/two' });
      assert.match(readFileSync(accessLog, 'utf8'), /"GET \/two /);
    });
    assert.deepEqual(
      router.log.filter(({ event }) => event === 'log-failed'),
      [],
    );
  });

  for (const owner of ['the workers’ user', 'root'] as const) {
    test(`that logrotate has made for ${owner} (its option "create") is written to`, async (t) => {
      const backend = await hello(t);
      const folder = temporaryFolder(t);
      chmodSync(folder, 0o755);
      const accessLog = join(folder, 'access.log');
      const routes = { 'site.test': ['site', backend.url] };
      const router = await startRouter(t, { routes, server: { accessLog }, config: { user: USER } });
      renameSync(accessLog, `${accessLog}.1`);
      writeFileSync(accessLog, '', { mode: 0o640 });
      if (owner !== 'root') chownSync(accessLog, uid, gid);
      router.signal('SIGUSR1');
      await eventually(async () => {
        await ask({ port: router.port, path: '/rotated' });
        assert.match(readFileSync(accessLog, 'utf8'), /"GET \/rotated /);
      });
      assert.equal(statSync(accessLog).uid, uid);
    });
  }

  test('may be reached by root’s own link', async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'disk'));
    symlinkSync('disk', join(folder, 'logs'));
    symlinkSync('access.today', join(folder, 'disk', 'access.log'));
    const accessLog = join(folder, 'logs', 'access.log');
    await startRouter(t, { routes: {}, server: { accessLog }, config: { user: USER } });
    assert.equal(statSync(join(folder, 'disk', 'access.today')).uid, uid);
  });
});

test('error pages that lead to root’s files are not read', { skip: noUsers }, async (t) => {
  const scene = begin(t);
  placeLink(scene.secret, join(scene.theirs, 'error_400.html'));
  linkSync(scene.secret, join(scene.theirs, 'error_404.html'));
  writeFileSync(join(scene.theirs, 'own.html'), 'their own');
  chownSync(join(scene.theirs, 'own.html'), uid, gid);
  placeLink('own.html', join(scene.theirs, 'error_default.html'));
  const router = await startRouter(t, { routes: {}, server: { staticDir: scene.theirs }, config: { user: USER } });
  const { body } = await ask({ port: router.port });
  assert.equal(body, 'their own');
  const refused = router.log
    .filter(({ event }) => event === 'page-unreadable')
    .map(({ path }) => String(path).slice(-14));
  assert.deepEqual(refused.toSorted(), ['error_400.html', 'error_404.html']);
});

test('a routes file that leads to root’s file is refused, and nothing of it is told', { skip: noUsers }, async (t) => {
  const scene = begin(t);
  placeLink(scene.secret, join(scene.theirs, 'routes.json'));
  const driver = `file:${join(scene.theirs, 'routes.json')}`;
  const failure = await failureOf(launchRouter(t, { config: { user: USER, driver } }));
  assert.match(failure, /routes\.json: is reached by the link \S+, which user \d+ may have placed/);
  assert.doesNotMatch(failure, /alone/);
});

test(
  'a certificate is read through root’s links, and not through another’s',
  { skip: noUsers || noOpenssl },
  async (t) => {
    const secrets = temporaryFolder(t);
    const [live, archive] = [join(secrets, 'live'), join(secrets, 'archive')];
    for (const folder of [live, archive]) mkdirSync(folder, { mode: 0o700 });
    const pair = makePair(archive, 'site');
    for (const [file, end] of [
      [pair.certFile, 'crt'],
      [pair.keyFile, 'key'],
    ] as const) {
      // As certbot has them: a relative link, from one folder of root's to another.
      symlinkSync(join('..', 'archive', file.slice(archive.length + 1)), join(live, `site.${end}`));
    }
    const backend = await hello(t);
    const router = await startRouter(t, {
      routes: { 'site.test': ['site', backend.url] },
      config: { user: USER, http: { bind: [] }, https: { port: 0, bind: '127.0.0.1' } },
    });
    const tls = join(router.folder, 'tls');
    mkdirSync(tls);
    for (const end of ['crt', 'key']) {
      symlinkSync(join(live, `site.${end}`), join(tls, `root.test.${end}`));
      placeLink(join(live, `site.${end}`), join(tls, `theirs.test.${end}`));
    }
    await eventually(async () => {
      assert.equal((await shakeHands(router.port, 'root.test')).name, 'site');
    }, 10_000);
    assert.equal((await shakeHands(router.port, 'theirs.test')).error, 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
    // A pair of which only one file is there yet is a fault, too.
    await router.until('fault of the link', () =>
      router.log.find(
        (entry) =>
          entry.event === 'certificate-fault' && /theirs\.test.*is reached by the link/.test(JSON.stringify(entry)),
      ),
    );
  },
);

test(
  'pid files and snapshots are put into a folder of others, and through no link of theirs',
  { skip: noUsers },
  async (t) => {
    const scene = begin(t);
    const pidFile = join(scene.theirs, 'hipache.pid');
    placeLink(scene.secret, pidFile);
    const router = await startRouter(t, { routes: {}, server: { pidFile }, config: { user: USER } });
    assert.equal(readFileSync(pidFile, 'utf8'), `${router.process.pid}\n`);
    assert.deepEqual(readdirSync(scene.theirs), ['hipache.pid']);
    assertUntouched(scene);
    assert.equal(await router.stop(), 0);
    assert.deepEqual(readdirSync(scene.theirs), []);
    // A folder of root's that a link of theirs leads to.
    const inner = join(scene.theirs, 'run');
    const roots = join(scene.theirs, '..', 'roots');
    mkdirSync(roots);
    placeLink(roots, inner);
    const failure = await failureOf(
      launchRouter(t, { routes: {}, server: { pidFile: join(inner, 'hipache.pid') }, config: { user: USER } }),
    );
    assert.match(failure, /server\.pidFile: .* is reached by the link/);
    assert.deepEqual(readdirSync(roots), []);
  },
);
