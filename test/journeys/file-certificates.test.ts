/** Certificates in the folder `tls` beside a routes file. */
// @one-lane: handshakes end before a lane begins
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { makePair, noOpenssl, type Pair } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { shakeHands } from '../support/handshakes.ts';
import { launchRouter, startRouter, temporaryFolder } from '../support/router.ts';

const CONFIG = { http: { bind: [] }, https: { port: 0, bind: '127.0.0.1' } };

function put(folder: string, host: string, { cert, key }: Pair): void {
  mkdirSync(join(folder, 'tls'), { recursive: true });
  for (const [end, text] of [
    ['crt', cert],
    ['key', key],
  ] as const) {
    // As careful deployments do it.
    writeFileSync(join(folder, 'tls', `.${host}.${end}.new`), text);
    renameSync(join(folder, 'tls', `.${host}.${end}.new`), join(folder, 'tls', `${host}.${end}`));
  }
}

async function nameAt(port: number, servername: string): Promise<string | null> {
  const { name, error } = await shakeHands(port, servername);
  return name ?? error;
}

describe('certificates beside a routes file', { skip: noOpenssl }, () => {
  test('they serve without a reload: new ones, other ones, wildcards, and none when they are gone', async (t) => {
    const pairs = temporaryFolder(t);
    const [one, two, wild] = [makePair(pairs, 'one'), makePair(pairs, 'two'), makePair(pairs, 'wild')];
    const site = await startBackend(t, (_request, response) => response.end('hello'));
    const routes = { 'a.site.test': ['site', site.url] };
    const router = await startRouter(t, { routes, server: { workers: 2 }, config: CONFIG });
    const { folder, port } = router;
    assert.equal(await nameAt(port, 'a.site.test'), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
    put(folder, 'a.site.test', one);
    await eventually(async () => assert.equal(await nameAt(port, 'a.site.test'), 'one'), 10_000);
    // The other worker may have it a moment later.
    await eventually(async () => {
      const tls = { ca: one.cert, servername: 'a.site.test', checkServerIdentity: () => undefined };
      assert.equal((await ask({ port, host: 'a.site.test', tls })).body, 'hello');
    }, 10_000);
    put(folder, 'a.site.test', two);
    put(folder, '*.site.test', wild);
    await eventually(async () => {
      assert.deepEqual([await nameAt(port, 'a.site.test'), await nameAt(port, 'b.site.test')], ['two', 'wild']);
    }, 10_000);
    // As Kubernetes and certbot keep them: by a link to another place.
    for (const end of ['crt', 'key']) {
      rmSync(join(folder, 'tls', `a.site.test.${end}`));
      symlinkSync(join(pairs, `one.${end}`), join(folder, 'tls', `a.site.test.${end}`));
    }
    await eventually(async () => assert.equal(await nameAt(port, 'a.site.test'), 'one'), 10_000);
    for (const end of ['crt', 'key']) rmSync(join(folder, 'tls', `a.site.test.${end}`));
    await eventually(async () => assert.equal(await nameAt(port, 'a.site.test'), 'wild'), 10_000);
    assert.equal(await nameAt(port, '../a.site.test'), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  });

  test('what is broken is told of, the last good one stays, for a new worker too', async (t) => {
    const pairs = temporaryFolder(t);
    const [good, other] = [makePair(pairs, 'good'), makePair(pairs, 'other')];
    const router = await startRouter(t, { routes: {}, server: { workers: 1 }, config: CONFIG });
    const { folder, port } = router;
    put(folder, 'a.test', good);
    put(folder, 'b.test', other);
    await eventually(async () => assert.equal(await nameAt(port, 'b.test'), 'other'), 10_000);
    assert.equal(await nameAt(port, 'a.test'), 'good');
    const from = router.log.length;
    writeFileSync(join(folder, 'tls', 'a.test.key'), other.key);
    await eventually(async () => {
      assert.equal(await nameAt(port, 'a.test'), 'good');
      assert.ok(router.log.slice(from).some(({ event }) => event === 'certificate-fault'));
    }, 10_000);
    const { key, fault } = await router.event('certificate-fault', from);
    assert.equal(key, 'tls/a.test.crt');
    assert.match(String(fault), /key that does not match its certificate/);
    router.signal('SIGHUP');
    await router.event('reloaded');
    assert.equal(await nameAt(port, 'a.test'), 'good');
    assert.equal(await nameAt(port, 'b.test'), 'other');
  });

  test('a folder of the wrong kind keeps nobody from starting', async (t) => {
    const router = launchRouter(t, { routes: {}, config: CONFIG });
    writeFileSync(join(router.folder, 'tls'), 'no folder');
    await router.event('ready');
    assert.equal(await nameAt(router.port, 'a.test'), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  });
});
