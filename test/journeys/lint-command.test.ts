import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../lib/diagnostics/lint.ts';
import { hipache } from '../support/command.ts';
import { write } from '../support/configurations.ts';
import { startRedis } from '../support/redis.ts';

test('lint exits with 0 when there are only notes, with 1 when there are errors', async (t) => {
  const redis = await startRedis(t);
  const driver = ['--driver', `redis://127.0.0.1:${redis.port}`];
  assert.deepEqual(await hipache(['lint', ...driver]), { status: 0, stdout: '0 errors, 0 notes\n', stderr: '' });
  await redis.cli('rpush', 'frontend:a.io', 'a', 'http://10.0.0.1');
  assert.deepEqual(await hipache(['lint', ...driver]), {
    status: 0,
    stdout: [
      'frontend:a.io: note no-port: backend 0, "http://10.0.0.1": no port; 80 is used',
      '    LSET frontend:a.io 1 http://10.0.0.1:80',
      '0 errors, 1 note',
      '',
    ].join('\n'),
    stderr: '',
  });
  await redis.cli('rpush', 'frontend:A.io', 'a', 'http://10.0.0.1:80');
  const { status, stdout } = await hipache(['lint', '--json', ...driver]);
  assert.equal(status, 1);
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
  assert.deepEqual(
    findings
      .map(({ key, code, severity }) => [key, code, severity])
      .toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
    [
      ['frontend:A.io', 'upper-case', 'error'],
      ['frontend:a.io', 'no-port', 'note'],
    ],
  );
});

test('lint of nothing wrong is an empty list for programs', async () => {
  const path = write({ 'a.io': ['a', 'http://10.0.0.1:80'] });
  assert.deepEqual(await hipache(['lint', '--json', '--driver', `file:${path}`]), {
    status: 0,
    stdout: '{"findings":[]}\n',
    stderr: '',
  });
});

test('lint knows by the configuration what of a URL counts', async () => {
  const routes = write({ 'a.io': ['a', 'http://10.0.0.1:80/base', 'https://10.0.0.2'] });
  const codesOf = async (server: object): Promise<readonly string[]> => {
    const path = write({ server, driver: `file:${routes}` });
    const { stdout } = await hipache(['lint', '--json', '--config', path]);
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
    return findings.map(({ code }) => code);
  };
  assert.deepEqual(await codesOf({}), ['path-ignored', 'no-port']);
  assert.deepEqual(await codesOf({ backendPath: true, legacyScheme: true }), ['https-ignored']);
});

test('a store that is away is a failure, not a clean bill', async () => {
  const { status, stdout, stderr } = await hipache(['lint', '--driver', 'redis://127.0.0.1:1']);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^hipache: Redis does not serve: .*ECONNREFUSED/);
});

test('lint takes no words', async () => {
  const { status, stderr } = await hipache(['lint', 'all']);
  assert.equal(status, 2);
  assert.match(stderr, /unexpected argument "all"/);
});
