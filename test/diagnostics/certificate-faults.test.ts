/** What `lint` and `explain` say of certificates. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import type { RouteEditor } from '../../lib/store/editor/route-editor.ts';
import { explain } from '../../lib/diagnostics/explain.ts';
import { type Finding, lint } from '../../lib/diagnostics/lint.ts';
import { makeExpired, makePair, noOpenssl, type Pair } from '../support/certificates.ts';
import { startRedis } from '../support/redis.ts';
import { temporaryFolder } from '../support/router.ts';

async function linted(editor: RouteEditor): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of lint(editor)) findings.push(finding);
  return findings;
}

/** Key, code and advice of each, in order. */
async function told(editor: RouteEditor): Promise<readonly string[]> {
  return (await linted(editor)).map(({ key, code, advice }) => `${key} ${code} ${advice}`.trim()).toSorted();
}

describe('certificates of a store', { skip: noOpenssl }, async () => {
  const redis = noOpenssl ? null : await startRedis({ after });

  async function open(t: TestContext, prefix = ''): Promise<RouteEditor> {
    if (redis === null) throw new Error('no redis');
    await redis.cli('flushall');
    const url = { scheme: 'redis', redis: redis.address('', `/0#${prefix}`) } as const;
    const editor = openEditor(url, url, { timeoutMs: 5000 });
    t.after(() => editor.close());
    return editor;
  }

  const keep = async (key: string, { cert, key: secret }: Pair): Promise<unknown> =>
    await redis?.cli('hset', key, 'certificate', cert, 'key', secret);

  test('lint names each mistake, and shows no key', async (t) => {
    const editor = await open(t, 'site:');
    const folder = temporaryFolder(t);
    const pair = makePair(folder, 'a.io');
    const other = makePair(folder, 'b.io');
    await keep('site:tls:a.io', pair);
    await keep('site:tls:WWW.a.io', pair);
    await keep('site:tls:*a.io', pair);
    await keep('site:tls:mixed.io', { ...pair, key: other.key });
    await keep('site:tls:old.io', makeExpired(folder, 'old.io'));
    await redis?.cli('hset', 'site:tls:half.io', 'certificate', pair.cert);
    await redis?.cli('set', 'site:tls:text.io', 'x');
    assert.deepEqual(await told(editor), [
      'site:tls:*a.io tls-expires',
      'site:tls:*a.io tls-key',
      'site:tls:WWW.a.io tls-expires',
      'site:tls:WWW.a.io tls-key RENAMENX site:tls:WWW.a.io site:tls:www.a.io',
      'site:tls:a.io tls-expires',
      'site:tls:half.io tls-field',
      'site:tls:mixed.io tls-pair',
      'site:tls:old.io tls-expired',
      'site:tls:text.io tls-type DEL site:tls:text.io',
    ]);
    assert.ok(!JSON.stringify(await linted(editor)).includes('PRIVATE'));
  });

  test('explain tells which certificate a handshake gets, until when, and why not another', async (t) => {
    const editor = await open(t);
    const folder = temporaryFolder(t);
    const none = await explain(editor, 'www.a.io', '/');
    assert.match(none.certificate?.text ?? '', /the configuration.s is used, or the handshake is refused/);
    await keep('tls:*.a.io', makePair(folder, 'wild.a.io'));
    await keep('tls:www.a.io', makeExpired(folder, 'www.a.io'));
    const { certificate } = await explain(editor, 'WWW.a.io', '/');
    assert.match(certificate?.text ?? '', /^tls:\*\.a\.io, for wild\.a\.io, until 20/);
    assert.deepEqual(
      certificate?.keys.map(({ key, verdict, faults }) => [key, verdict, faults[0]?.code]),
      [
        ['tls:www.a.io', 'unusable', 'tls-expired'],
        ['tls:*.a.io', 'used', 'tls-expires'],
      ],
    );
    await keep('tls:www.a.io', makePair(folder, 'www.a.io'));
    const own = await explain(editor, 'www.a.io', '/');
    assert.deepEqual(
      own.certificate?.keys.map(({ verdict }) => verdict),
      ['used', 'not reached'],
    );
    assert.ok(!JSON.stringify(own).includes('PRIVATE'));
    assert.equal((await explain(editor, '__ping__', '/')).certificate, null);
  });

  test('beside a routes file they are looked at, too', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'tls'));
    writeFileSync(join(folder, 'routes.json'), '{"a.io": ["site", "http://10.0.0.1:80"]}');
    const { cert, key } = makePair(folder, 'a.io');
    for (const [name, text] of Object.entries({ 'a.io.crt': cert, 'a.io.key': key, 'B.io.crt': cert })) {
      writeFileSync(join(folder, 'tls', name), text);
    }
    const url = { scheme: 'file', path: join(folder, 'routes.json') } as const;
    const editor = openEditor(url, url, { timeoutMs: 5000 });
    t.after(() => editor.close());
    assert.deepEqual(await told(editor), [
      'tls/B.io.crt tls-field replace tls/B.io.crt and tls/B.io.key',
      'tls/B.io.crt tls-key rename tls/B.io.crt to tls/b.io.crt',
      'tls/a.io.crt tls-expires',
    ]);
    assert.match((await explain(editor, 'a.io', '/')).certificate?.text ?? '', /^tls\/a\.io\.crt, for a\.io/);
    assert.equal((await editor.certificate('../a.io')).type, 'none');
  });
});
