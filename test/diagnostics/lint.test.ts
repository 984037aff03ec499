import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RouteEditor } from '../../lib/store/editor/route-editor.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import { type Finding, lint } from '../../lib/diagnostics/lint.ts';
import { write } from '../support/configurations.ts';
import { startRedis } from '../support/redis.ts';

async function all(editor: RouteEditor): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of lint(editor)) findings.push(finding);
  return findings;
}

/** What is found in a routes file. */
async function lintFile(content: unknown): Promise<readonly (readonly string[])[]> {
  const file = { scheme: 'file', path: write(content) } as const;
  return (await all(openEditor(file, file, { timeoutMs: 1000 }))).map(({ key, code, advice }) => [key, code, advice]);
}

test('of 20,000 frontends each that is wrong is reported once, and what is kept of them does not grow', async (t) => {
  const redis = await startRedis({ after });
  for (let part = 0; part < 20; part++) {
    const pipeline = redis.client().pipeline();
    for (let i = 0; i < 1000; i++) {
      const odd = i === 500 ? 'htps://h:1' : 'http://10.0.0.1:80';
      pipeline.rpush(`frontend:h${part}-${i}.io`, 'site', odd);
    }
    await pipeline.exec();
  }
  const url = { scheme: 'redis', redis: redis.address() } as const;
  const editor = openEditor(url, url, { timeoutMs: 5000 });
  t.after(() => editor.close());
  const before = process.memoryUsage().heapUsed;
  const findings = await all(editor);
  assert.deepEqual(
    findings.map(({ key, code }) => `${key} ${code}`).toSorted(),
    Array.from({ length: 20 }, (_, part) => `frontend:h${part}-500.io bad-scheme`).toSorted(),
  );
  assert.ok(process.memoryUsage().heapUsed - before < 50e6);
});

test('a routes file is looked through, and a broken one is a finding', async () => {
  assert.deepEqual(await lintFile({ 'a.io': ['a', 'http://10.0.0.1:80'] }), []);
  assert.deepEqual(await lintFile({ 'A.io': ['http://10.0.0.1:80'], 'a b': ['x', 'http://h:1', 'http://h:1'] }), [
    ['A.io', 'no-identifier', 'write a name before the first URL of "A.io": ["NAME", "http://…"]'],
    ['A.io', 'upper-case', 'replace "A.io" with "a.io"'],
    ['a b', 'duplicate', 'remove backend 1'],
    ['a b', 'bad-key', 'remove "a b"'],
  ]);
  const [[, code, advice] = []] = await lintFile('{"a.io": }');
  assert.deepEqual([code, advice], ['broken-file', '']);
});

test('a store that cannot be read is an error, not an empty list of findings', async (t) => {
  const redis = await startRedis(t);
  const url = { scheme: 'redis', redis: redis.address() } as const;
  await redis.kill();
  const editor = openEditor(url, url, { timeoutMs: 500 });
  t.after(() => editor.close());
  await assert.rejects(all(editor), { code: 'store-unavailable' });
});

test('keys that a user may not look at are told of', async (t) => {
  const lines = [
    'user default on nopass ~* &* +@all',
    'user low on >pw ~frontend:a* ~dead:* ~hchecker_ping +@read +ping',
  ];
  const redis = await startRedis(t, { lines });
  await redis.cli('rpush', 'frontend:b.io', 'b', 'http://h:1');
  const url = { scheme: 'redis', redis: redis.address('low:pw@') } as const;
  const editor = openEditor(url, url, { timeoutMs: 5000 });
  t.after(() => editor.close());
  assert.deepEqual(
    (await all(editor)).map(({ code }) => code),
    ['unreadable'],
  );
});
