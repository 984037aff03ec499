/** Sites whose certificates have keys of another kind than the configuration's, or another chain. */
// @one-lane: handshakes end before a lane begins
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { type KeyKind, makePair, makeSigned, noOpenssl, type Pair } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { shakeHands } from '../support/handshakes.ts';
import { openSession, request } from '../support/http2.ts';
import { startRedis } from '../support/redis.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';

/** What clients can do that know one kind of keys alone, in TLS 1.2 and 1.3. */
const ONLY = {
  ec: { tls1_2: ['-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'], tls1_3: ['-sigalgs', 'ecdsa_secp256r1_sha256'] },
  rsa: { tls1_2: ['-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'], tls1_3: ['-sigalgs', 'rsa_pss_rsae_sha256'] },
} as const;
const VERSIONS = ['tls1_2', 'tls1_3'] as const;
const OTHER: Readonly<Record<KeyKind, KeyKind>> = { ec: 'rsa', rsa: 'ec' };

/** What a handshake shows: common names, the site's own first; or the alert that ends it. */
function shownAt(port: number, host: string | null, args: readonly string[]): Promise<string> {
  const name = host === null ? ['-noservername'] : ['-servername', host];
  const all = ['s_client', '-connect', `127.0.0.1:${port}`, '-showcerts', ...name, ...args];
  return new Promise((resolve) => {
    const child = execFile('openssl', all, { timeout: 20_000 }, (_error, stdout, stderr) => {
      const names = [...stdout.matchAll(/^ *[0-9]+ s:.*CN ?= ?(.*)$/gm)].map(([, found]) => found);
      const alert = /alert ([a-z ]+):/.exec(stderr)?.[1];
      resolve(names.length > 0 ? names.join(' ') : (alert ?? `nothing: ${stderr}`));
    });
    child.stdin?.end();
  });
}

/** Sites of either kind with a chain and without, and a configuration with a chain; by host. */
function pairsFor(
  folder: string,
  kind: KeyKind,
): { readonly fallback: Pair; readonly chain: Pair; sites: Map<string, Pair> } {
  const root = makePair(folder, 'root');
  const chain = makeSigned(folder, 'middle', root, true);
  const fallback = makeSigned(folder, 'fallback.test', chain, false, kind);
  const sites = new Map<string, Pair>();
  for (const each of ['ec', 'rsa'] as const) {
    sites.set(`${each}.test`, makePair(folder, `${each}.test`, undefined, each));
    const between = makeSigned(folder, `between-${each}`, root, true);
    const own = makeSigned(folder, `${each}.chain.test`, between, false, each);
    sites.set(`${each}.chain.test`, { ...own, cert: own.cert + between.cert });
  }
  return { fallback, chain, sites };
}

async function startWith(t: TestContext, store: 'redis' | 'file', kind: KeyKind): Promise<Router> {
  const folder = temporaryFolder(t);
  const { fallback, chain, sites } = pairsFor(folder, kind);
  const https = { port: 0, bind: '127.0.0.1', key: fallback.keyFile, cert: fallback.certFile, ca: chain.certFile };
  const config = { http: { bind: [] }, https };
  if (store === 'redis') {
    const redis = await startRedis(t);
    for (const [host, { cert, key }] of sites) await redis.cli('hset', `tls:${host}`, 'certificate', cert, 'key', key);
    return await startRouter(t, { config: { ...config, driver: `redis://127.0.0.1:${redis.port}` } });
  }
  const routes = join(folder, 'routes.json');
  writeFileSync(routes, '{}');
  mkdirSync(join(folder, 'tls'));
  for (const [host, { cert, key }] of sites) {
    writeFileSync(join(folder, 'tls', `${host}.crt`), cert);
    writeFileSync(join(folder, 'tls', `${host}.key`), key);
  }
  return await startRouter(t, { config: { ...config, driver: `file:${routes}` } });
}

describe('certificates of either kind', { skip: noOpenssl }, () => {
  for (const store of ['redis', 'file'] as const) {
    for (const kind of ['ec', 'rsa'] as const) {
      test(`${store}: beside the configuration’s ${kind} one, a handshake shows the site’s own pair and chain, or fails`, async (t) => {
        const { port } = await startWith(t, store, kind);
        const expected: [what: string, shown: string][] = [];
        const shown: [what: string, shown: string][] = [];
        const look = async (host: string | null, args: readonly string[], wanted: string): Promise<void> => {
          const what = `${host ?? 'no name'} ${args.join(' ')}`;
          expected.push([what, wanted]);
          shown.push([what, await shownAt(port, host, args)]);
        };
        for (const version of VERSIONS) {
          for (const own of ['ec', 'rsa'] as const) {
            for (const [host, chain] of [
              [`${own}.test`, `${own}.test`],
              [`${own}.chain.test`, `${own}.chain.test between-${own}`],
            ] as const) {
              await look(host, [`-${version}`], chain);
              await look(host, [`-${version}`, ...ONLY[own][version]], chain);
              await look(host, [`-${version}`, ...ONLY[OTHER[own]][version]], 'handshake failure');
            }
          }
          for (const host of ['unknown.test', '127.0.0.1', null]) {
            await look(host, [`-${version}`], 'fallback.test middle');
            await look(host, [`-${version}`, ...ONLY[OTHER[kind]][version]], 'handshake failure');
          }
        }
        assert.deepEqual(shown, expected);
      });
    }
  }

  test('sessions go on for the site that they began with, and with a name or without as they began', async (t) => {
    const { port } = await startWith(t, 'file', 'ec');
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const host of ['rsa.test', 'unknown.test', '']) {
        const { session } = await shakeHands(port, host, { maxVersion });
        assert.ok(session);
        assert.equal((await shakeHands(port, host, { maxVersion, session })).isReused, true);
        const other = host === '' ? 'rsa.test' : '';
        const again = await shakeHands(port, other, { maxVersion, session });
        assert.deepEqual([again.isReused, again.name], [false, other === '' ? 'fallback.test' : other]);
      }
    }
  });

  test('HTTP/2 by a session that goes on serves the site as it did', async (t) => {
    const backend = await startBackend(t, (_message, response) => response.end('hello'));
    const folder = temporaryFolder(t);
    const [fallback, site] = [makePair(folder, 'fallback.test'), makePair(folder, 'rsa.test', undefined, 'rsa')];
    const redis = await startRedis(t);
    await redis.cli('hset', 'tls:rsa.test', 'certificate', site.cert, 'key', site.key);
    await redis.cli('rpush', 'frontend:rsa.test', 'rsa', backend.url);
    const router = await startRouter(t, {
      config: {
        http: { bind: [] },
        https: { port: 0, bind: '127.0.0.1', key: fallback.keyFile, cert: fallback.certFile },
        driver: `redis://127.0.0.1:${redis.port}`,
      },
    });
    const tls = { ca: site.cert, servername: 'rsa.test' };
    assert.equal((await ask({ port: router.port, host: 'rsa.test', tls })).status, 200);
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { session } = await shakeHands(router.port, 'rsa.test', { ...tls, maxVersion, rejectUnauthorized: true });
      assert.ok(session);
      const again = await openSession(t, router.port, { ...tls, maxVersion, session });
      const { status } = await request(again, { ':authority': 'rsa.test' });
      assert.equal(status, 200, maxVersion);
    }
  });
});
