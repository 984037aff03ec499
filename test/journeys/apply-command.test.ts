/** Whole sets of frontends: `hipache export` and `hipache apply`. */
// @one-lane: commands, without a router
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { gathered, hipache, type Outcome, PROGRAM } from '../support/command.ts';
import { guard } from '../support/guard.ts';
import { startRedis } from '../support/redis.ts';
import { startCluster } from '../support/redis-cluster.ts';

const redis = await startRedis({ after });
const url = `redis://127.0.0.1:${redis.port}`;
const folder = mkdtempSync(join(tmpdir(), 'hipache-'));
after(() => rmSync(folder, { recursive: true }));

/** Runs a command with a text as its standard input. */
async function piped(text: string, argv: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [PROGRAM, ...argv], { stdio: 'pipe', timeout: 60_000 });
  guard(child);
  const [stdout, stderr] = [gathered(child.stdout), gathered(child.stderr)];
  child.stdin.end(text);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout: stdout(), stderr: stderr() };
}

function fine({ status, stdout, stderr }: Outcome): string {
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
  return stdout;
}

const SET = `frontends:
  "*":
    options:
      https: redirect
  www.x.io:
    name: site
    backends:
      - http://10.0.0.1:80
      - http://10.0.0.2:80
    weights:
      http://10.0.0.1:80: "300"
    checks:
      path: /health
    errors:
      "503": <h1>Back soon</h1>
  www.x.io/api:
    name: api
    backends:
      - http://10.0.0.3:80
    headers:
      response:Server: ""
`;

for (const [store, open] of [
  ['Redis', async () => url],
  ['a Redis cluster', async () => `redis+cluster://127.0.0.1:${(await startCluster({ after }, 3)).masters[0]?.port}`],
  [
    'a routes file',
    async () => {
      writeFileSync(join(folder, 'routes.json'), '{}');
      return `file:${join(folder, 'routes.json')}`;
    },
  ],
] as const) {
  test(`a set is applied to ${store}, exported as it was written, and applied again without a difference`, async () => {
    await redis.cli('flushall');
    const driver = ['--driver', await open()];
    const dry = fine(await piped(SET, ['apply', '--dry', ...driver]));
    assert.match(
      dry,
      /^\+ \*: created, no list\n {4}\+ option https: "redirect"\n\+ www\.x\.io: created, 2 backends\n/,
    );
    assert.match(dry, /\n3 created, 0 changed, 0 removed, 0 unchanged; nothing was written to .*\n$/);
    assert.match(fine(await piped(SET, ['apply', ...driver])), /\n3 created, 0 changed, 0 removed, 0 unchanged, in /);
    assert.equal(fine(await hipache(['export', ...driver])), SET);
    for (const json of [[], ['--json']]) {
      const text = fine(await hipache(['export', ...json, ...driver]));
      const again = fine(await piped(text, ['apply', '-f', '-', '--dry', '--prune', ...driver]));
      assert.match(again, /^0 created, 0 changed, 0 removed, 3 unchanged; nothing/);
    }
    assert.match(fine(await hipache(['lint', ...driver])), /^0 errors/m);
    const smaller = SET.replace('      - http://10.0.0.2:80\n', '').replace(/ {2}www\.x\.io\/api[^]*/, '');
    const changed = fine(await piped(smaller, ['apply', ...driver]));
    assert.match(changed, /^~ www\.x\.io: changed\n {4}- backend http:\/\/10\.0\.0\.2:80\n0 created, 1 changed, 0 /);
    const pruned = fine(await piped(smaller, ['apply', '--prune', ...driver]));
    assert.match(pruned, /^- www\.x\.io\/api: removed\n0 created, 0 changed, 1 removed, 2 unchanged, in /);
    assert.equal(fine(await hipache(['export', ...driver])), smaller);
  });
}

test('an unchanged frontend is not written, nor is anything of a file with a fault', async () => {
  await redis.cli('flushall');
  const driver = ['--driver', url];
  fine(await piped(SET, ['apply', ...driver]));
  const commands = async (): Promise<number> =>
    Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(String(await redis.cli('info', 'commandstats')))?.[1] ?? 0);
  const before = await commands();
  fine(await piped(SET, ['apply', ...driver]));
  assert.equal(await commands(), before);
  for (const [good, bad, why] of [
    ['http://10.0.0.1:80\n', 'http//10.0.0.1:80\n', /not a URL/],
    ['path: /health', 'way: /health', /healthcheck: "way"/],
    ['"503"', '"203"', /the status of an error page/],
    ['www.x.io:', 'http://www.x.io:', /www\.x\.io/],
    ['name: api\n', 'name: api\n    certificate: {sha256: 00}\n', /"certificate"/],
  ] as const) {
    assert.ok(SET.includes(good));
    const { status, stdout, stderr } = await piped(SET.replace(good, bad).replace('300', '200'), ['apply', ...driver]);
    assert.deepEqual([status, stdout], [1, ''], bad);
    assert.match(stderr, why);
    assert.match(stderr, /; nothing was written\n$/);
  }
  assert.equal(await redis.cli('hget', 'weights:www.x.io', 'http://10.0.0.1:80'), '300');
  const nothing = await piped('frontends: {}', ['apply', '--prune', ...driver]);
  assert.match(nothing.stderr, /--prune would remove all/);
  await redis.cli('set', 'options:www.x.io', 'text');
  const odd = await piped(SET, ['apply', ...driver]);
  assert.match(odd.stderr, /options:www\.x\.io: another type; nothing was written/);
  const left = await hipache(['export', ...driver]);
  assert.deepEqual([left.status, left.stderr], [1, 'hipache: options:www.x.io has another type, and is left out\n']);
});

const withCertificate = (reference: string): string =>
  `frontends:\n  www.x.io:\n    name: site\n    backends: []\n    certificate: ${reference}\n`;

test('certificates are named by file or digest, and no export has a private key', { skip: noOpenssl }, async () => {
  await redis.cli('flushall');
  const pair = makePair(folder, 'a');
  const driver = ['--driver', url];
  writeFileSync(join(folder, 'set.yaml'), withCertificate('{certificate: a.crt, key: a.key}'));
  const file = ['apply', '-f', join(folder, 'set.yaml'), '--force', ...driver];
  assert.match(fine(await hipache([...file, '--dry'])), /^~ www\.x\.io: certificate$/m);
  assert.equal(await redis.cli('exists', 'tls:www.x.io'), 0);
  fine(await hipache(file));
  assert.equal(await redis.cli('hget', 'tls:www.x.io', 'key'), pair.key);
  const exported = fine(await hipache(['export', ...driver]));
  assert.match(exported, /certificate:\n {6}sha256: [0-9a-f]{64}\n/);
  assert.doesNotMatch(exported, /PRIVATE|BEGIN/);
  assert.match(
    fine(await piped(exported, ['apply', '--force', ...driver])),
    /^0 created, 0 changed, 0 removed, 1 unchanged, /m,
  );
  const other = await piped(withCertificate(`{sha256: "${'0'.repeat(64)}"}`), ['apply', ...driver]);
  assert.match(other.stderr, /tls:www\.x\.io is another certificate; name the files of this one/);
  writeFileSync(join(folder, 'a.key'), makePair(folder, 'b').key);
  assert.match((await hipache(file.filter((word) => word !== '--force'))).stderr, /does not match its certificate/);
});

test('10,000 frontends are applied at once', async () => {
  await redis.cli('flushall');
  const frontends: Record<string, object> = {};
  for (let i = 0; i < 10_000; i++) {
    frontends[`site${i}.x.io`] = {
      name: `site${i}`,
      backends: [`http://10.0.0.1:${1024 + i}`, `http://10.0.0.2:${1024 + i}`],
      options: { strip: '1', hsts: '300' },
    };
  }
  writeFileSync(join(folder, 'many.json'), JSON.stringify({ frontends }));
  const outcome = await piped('', ['apply', '--json', '-f', join(folder, 'many.json'), '--driver', url]);
  assert.equal(outcome.status, 0, outcome.stderr);
  assert.equal((JSON.parse(outcome.stdout) as { created: number }).created, 10_000);
  // A list and options of each, and the log.
  assert.equal(await redis.cli('dbsize'), 20_001);
});
