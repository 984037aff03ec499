/** The log of changes: who changed what, how to undo it, and where a request went before. */
// @one-lane: commands, without a router
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import { NO_SET } from '../../lib/store/editor/frontend-set.ts';
import { hipache, type Outcome } from '../support/command.ts';
import { startRedis } from '../support/redis.ts';
import { startCluster } from '../support/redis-cluster.ts';

const redis = await startRedis({ after });
const url = `redis://127.0.0.1:${redis.port}`;
const A = 'http://10.0.0.1:80';
const B = 'http://10.0.0.2:80';
const ME = `${process.env['SUDO_USER'] ?? userInfo().username}@${hostname()}`;

const route = (...args: readonly string[]): Promise<Outcome> => hipache(['route', ...args, '--driver', url]);
const list = (key: string): Promise<unknown> => redis.cli('lrange', `frontend:${key}`, 0, -1);

async function fine(outcome: Promise<Outcome>): Promise<string> {
  const { status, stdout, stderr } = await outcome;
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
  return stdout;
}

interface History {
  readonly isUnlogged: boolean;
  readonly changes: readonly { readonly time: string; readonly by: string; readonly change: object | null }[];
}

const historyOf = async (key: string): Promise<History> =>
  JSON.parse(await fine(route('history', key, '--json'))) as History;

/** The moment after a change. */
const at = (time: string | undefined): string => new Date(Date.parse(time ?? '') + 1).toISOString();

test('every edit is in the history with its author, and the last one can be undone, and that, too', async () => {
  await redis.cli('flushall');
  await fine(route('set', 'www.x.io', 'site', A));
  await fine(route('add', 'www.x.io', B));
  await fine(route('weights', 'www.x.io', `${A}=10`));
  // Nothing changes, and nothing is logged.
  await fine(route('add', 'www.x.io', B));
  const { changes, isUnlogged } = await historyOf('www.x.io');
  assert.ok(!isUnlogged);
  assert.deepEqual(
    changes.map(({ by, change }) => ({ by, change })),
    [
      { by: ME, change: { hashes: { weights: [{}, { [A]: '10' }] } } },
      {
        by: ME,
        change: {
          list: [
            ['site', A],
            ['site', A, B],
          ],
        },
      },
      { by: ME, change: { list: [null, ['site', A]] } },
    ],
  );
  const shown = await fine(route('history', 'www.x.io'));
  assert.match(shown, /^\S+Z {2}\S+@\S+\n {2}\+ weight http:\/\/10\.0\.0\.1:80: "10"\n/);
  assert.match(shown, /\n {2}~ www\.x\.io: changed\n {6}\+ backend http:\/\/10\.0\.0\.2:80\n/);
  assert.match(
    await fine(route('undo', 'www.x.io')),
    /^~ www\.x\.io: changed\n {4}- weight .*\nundone: the change of /,
  );
  assert.equal(await redis.cli('exists', 'weights:www.x.io'), 0);
  assert.match(await fine(route('history', 'www.x.io')), /^\S+Z {2}\S+@\S+\n {2}- weight http:/);
  await fine(route('undo', 'www.x.io'));
  assert.equal(await redis.cli('hget', 'weights:www.x.io', A), '10');
  await fine(route('remove', 'www.x.io'));
  assert.deepEqual(await list('www.x.io'), []);
  await fine(route('undo', 'www.x.io'));
  assert.deepEqual(await list('www.x.io'), ['site', A, B]);
});

test('a set that is applied is in the history of each frontend', async () => {
  await redis.cli('flushall');
  const folder = mkdtempSync(join(tmpdir(), 'hipache-'));
  after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'set.json');
  const frontend = { name: 'site', backends: [A], options: { strip: '1' } };
  writeFileSync(file, JSON.stringify({ frontends: { 'a.io': frontend, 'b.io/api': frontend } }));
  await fine(hipache(['apply', '-f', file, '--driver', url]));
  const expected = { list: [null, ['site', A]], hashes: { options: [{}, { strip: '1' }] } };
  for (const key of ['a.io', 'b.io/api']) {
    const [entry] = (await historyOf(key)).changes;
    assert.deepEqual([entry?.by, entry?.change], [`${ME} apply`, expected]);
  }
  await fine(route('undo', 'b.io/api'));
  assert.deepEqual(await redis.cli('keys', '*b.io*'), []);
  assert.deepEqual(await list('a.io'), ['site', A]);
});

test('a change by redis-cli is noticed, and not undone by mistake', async () => {
  await redis.cli('flushall');
  await fine(route('set', 'www.x.io', 'site', A));
  await redis.cli('rpush', 'frontend:www.x.io', B);
  assert.match(await fine(route('history', 'www.x.io')), /^www\.x\.io was changed later by other means/);
  const refused = await route('undo', 'www.x.io');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /was changed by other means since .*; nothing was written/);
  assert.deepEqual(await list('www.x.io'), ['site', A, B]);
  await fine(route('undo', 'www.x.io', '--force'));
  assert.deepEqual(await list('www.x.io'), []);
});

test('explain --at tells where a request went then, with its options and paths', async () => {
  await redis.cli('flushall');
  await fine(route('set', 'www.x.io', 'old', A));
  await fine(route('options', 'www.x.io', 'https=redirect'));
  await fine(route('set', 'www.x.io/api', 'api', A));
  const [options] = (await historyOf('www.x.io')).changes;
  const [api] = (await historyOf('www.x.io/api')).changes;
  await fine(route('options', 'www.x.io', 'https='));
  await fine(route('remove', 'www.x.io/api'));
  await fine(route('set', 'www.x.io', 'new', B));
  const explained = async (path: string, ...more: readonly string[]) => {
    const { stdout } = await route('explain', 'www.x.io', path, '--json', ...more);
    return JSON.parse(stdout) as { route: { key: string; name: string } | null; answer: { kind: string } };
  };
  assert.equal((await explained('/api')).route?.name, 'new');
  assert.equal((await explained('/api', '--at', at(options?.time))).answer.kind, 'redirect');
  const then = await explained('/api', '--at', at(api?.time));
  assert.equal(then.answer.kind, 'redirect');
  assert.equal((await explained('/', '--at', at(api?.time))).answer.kind, 'redirect');
  const early = await route('explain', 'www.x.io', '--at', '2020-01-01');
  assert.match(early.stderr, /the log of changes begins at /);
  for (const time of ['25:00', 'noon', '2999-01-01']) {
    assert.equal((await route('explain', 'www.x.io', '--at', time)).status, 2);
  }
  assert.equal((await route('show', 'www.x.io', '--at', '00:00')).status, 2);
});

test('a large change is logged without its content, and lint knows the log', async () => {
  await redis.cli('flushall');
  const big = Array.from({ length: 1_000 }, (_, i) => `http://10.0.0.1:${1024 + i}`);
  await fine(route('set', 'big.io', 'site', ...big));
  assert.equal((await historyOf('big.io')).changes[0]?.change, null);
  assert.match((await route('undo', 'big.io')).stderr, /too large to be logged/);
  assert.equal((await hipache(['lint', '--driver', url])).stdout, '0 errors, 0 notes\n');
});

test('a user without the right to the log edits without one', async () => {
  await redis.cli('flushall');
  const rights = ['~frontend:*', '~dead:*', '~marks:*', '~trial:*', '~options:*', '~headers:*', '~weights:*'];
  const more = ['~healthcheck:*', '~errors:*', '~prefixes:*', '+@all', 'resetchannels'];
  await redis.cli('acl', 'setuser', 'editor', 'on', '>pw', ...rights, ...more);
  const address = parseDriverUrl(`redis://editor:pw@127.0.0.1:${redis.port}`);
  for (const edit of ['replace', 'fields', 'sets'] as const) {
    const editor = openEditor(address, address, { timeoutMs: 5000, by: 'me@here' });
    try {
      if (edit === 'replace') await editor.replace('a.io', ['site', A]);
      else if (edit === 'fields') await editor.changeFields('options', 'a.io', new Map([['strip', '1']]));
      else {
        const changes = ['b.io', 'c.io'].map((key) => ({ key, before: NO_SET, after: { ...NO_SET, list: ['x', A] } }));
        assert.deepEqual(await editor.writeSets(changes), [true, true]);
      }
    } finally {
      await editor.close();
    }
  }
  assert.deepEqual(await list('a.io'), ['site', A]);
  assert.deepEqual(await list('c.io'), ['x', A]);
  assert.equal(await redis.cli('hget', 'options:a.io', 'strip'), '1');
  assert.equal(await redis.cli('exists', 'routes:log'), 0);
});

test('a cluster has the log, too, and a routes file says that it has none', async (t) => {
  const cluster = await startCluster(t, 3);
  const driver = ['--driver', `redis+cluster://127.0.0.1:${cluster.masters[0]?.port}`];
  await fine(hipache(['route', 'set', 'a.io', 'site', A, ...driver]));
  await fine(hipache(['route', 'options', 'a.io', 'strip=1', ...driver]));
  await fine(hipache(['route', 'undo', 'a.io', ...driver]));
  const history = await fine(hipache(['route', 'history', 'a.io', '--json', ...driver]));
  assert.equal((JSON.parse(history) as History).changes.length, 3);
  assert.equal(await cluster.cli('exists', 'options:a.io'), 0);
  const folder = mkdtempSync(join(tmpdir(), 'hipache-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'routes.json'), '{"a.io": ["site"]}');
  for (const action of ['history', 'undo']) {
    const none = await hipache(['route', action, 'a.io', '--driver', `file:${join(folder, 'routes.json')}`]);
    assert.deepEqual(
      [none.status, none.stderr],
      [1, 'hipache: a routes file has no log of changes: keep it in a repository\n'],
    );
  }
});
