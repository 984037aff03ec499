import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gathered, hipache, PROGRAM } from '../support/command.ts';
import { makeFolder } from '../support/configurations.ts';
import { eventually } from '../support/eventually.ts';
import { guard } from '../support/guard.ts';

/** What docs/admin.md says that a router answers. */
const LIVE = {
  now: 1795250500,
  version: '1.2.3',
  needsToken: false,
  total: { requests: [12, 13], errors: [0, 1], p50: [0.001, 0.0015], p99: [0.01, 0.02] },
  frontends: [
    { name: 'quiet', requests: [0, 1], errors: [0, 0], p99: [0.01, 0.02] },
    { name: 'my\u001Bwebsite', requests: [12, 12], errors: [0, 1], p99: [0.01, 1.5] },
  ],
  connections: 120,
  exchanges: 3,
  tunnels: 1,
  store: { name: 'redis://127.0.0.1:6379', isUp: true },
  ready: { isReady: true, isDegraded: false, reasons: [] },
};
const WORKERS = {
  master: { pid: 4710, version: '1.2.3', upSeconds: 3600.5, residentBytes: 60_000_000 },
  workers: [
    {
      pid: 4711,
      generation: 1,
      state: 'serving',
      upSeconds: 100.1,
      residentBytes: 90_000_000,
      heapBytes: 20_000_000,
      connections: 120,
      exchanges: 3,
      tunnels: 1,
      loopDelay: { p50: 0.0001, p99: 0.002, max: 0.011 },
    },
  ],
};

const SUMMARY = {
  found: 2,
  problems: [],
  moreProblems: 0,
  frontends: [
    {
      key: 'www.my\u001Bwebsite.test',
      name: 'mywebsite',
      state: 'failing',
      backends: 3,
      dead: 1,
      requestsPerSecond: 12.34,
      errorsPerSecond: 0.5,
      p50: 0.01,
      p99: 1.5,
    },
    {
      key: 'quiet.test',
      name: 'quiet',
      state: 'good',
      backends: 1,
      dead: 0,
      requestsPerSecond: null,
      errorsPerSecond: null,
      p50: null,
      p99: null,
    },
  ],
};

const TABLE = [
  'hipache 1.2.3  redis://127.0.0.1:6379 up  ready',
  'req/s 13  err/s 1  p50 1.5 ms  p99 20.0 ms  conn 120  exch 3  tunnels 1',
  '',
  'FRONTEND                STATE    DEAD  REQ/S*  ERR/S  P50      P99',
  'www.my\\x1bwebsite.test  failing  1/3   12      0.50   10.0 ms  1.50 s',
  'quiet.test              good     0/1   -       -      -        -',
  '',
  'PID   STATE    GEN  UP      MB  CONN  EXCH  TUNNELS  LOOP P99',
  '4710  master   -    60 min  60  -     -     -        -',
  '4711  serving  1    100 s   90  120   3     1        2.0 ms',
  '',
].join('\n');

interface Admin {
  readonly server: Server;
  readonly url: string;
  /** What was asked for. */
  readonly asked: string[];
}

function answerTo(url: string): object {
  if (url.startsWith('/api/v1/live')) return LIVE;
  return url.startsWith('/api/v1/summary') ? SUMMARY : WORKERS;
}

/** An admin interface of which only the answers are real. @param place a port, or a socket's path */
async function startAdmin(t: TestContext, token: string | null = null, place: number | string = 0): Promise<Admin> {
  const asked: string[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    asked.push(url);
    const isFine = token === null || headers.authorization === `Bearer ${token}`;
    response.statusCode = isFine ? 200 : 401;
    response.end(JSON.stringify(isFine ? answerTo(url) : { error: {} }));
  });
  const listening = once(server, 'listening');
  if (typeof place === 'string') server.listen(place);
  else server.listen(place, '127.0.0.1');
  await listening;
  t.after(() => server.close());
  const url =
    typeof place === 'string' ? `unix:${place}` : `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, url, asked };
}

test('--once prints one table', async (t) => {
  const { url, asked } = await startAdmin(t);
  assert.deepEqual(await hipache(['top', '--once', '--admin', url]), { status: 0, stdout: TABLE, stderr: '' });
  assert.deepEqual(
    new Set(asked.map((path) => path.split('?')[0])),
    new Set(['/api/v1/live', '/api/v1/workers', '/api/v1/summary']),
  );
});

test('changes that were refused are shown with their reasons', async (t) => {
  const server = createServer((_request, response) =>
    response.end(JSON.stringify({ ...LIVE, refused: ['reload refused: server.workers: must be\u001B 1'] })),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { stdout } = await hipache(['top', '--once', '--admin', `http://127.0.0.1:${port}`]);
  assert.equal(stdout.split('\n')[2], 'reload refused: server.workers: must be\\x1b 1');
});

test('--json prints what was answered, a line each second', async (t) => {
  const { url } = await startAdmin(t);
  const { status, stdout } = await hipache(['top', '--once', '--json', '--admin', url]);
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout), { live: LIVE, workers: WORKERS, summary: SUMMARY });
});

test('a Unix socket will do, and a token is shown where one is wanted', async (t) => {
  const { url } = await startAdmin(t, 's3cret', join(makeFolder(), 'admin.sock'));
  const without = await hipache(['top', '--once', '--admin', url], { HIPACHE_ADMIN_TOKEN: '' });
  assert.equal(without.status, 1);
  assert.match(without.stderr, /^hipache: unix:.* answered 401; give --token, or HIPACHE_ADMIN_TOKEN/);
  assert.equal((await hipache(['top', '--once', '--admin', url, '--token', 's3cret'])).stdout, TABLE);
  assert.equal((await hipache(['top', '--once', '--admin', url], { HIPACHE_ADMIN_TOKEN: 's3cret' })).stdout, TABLE);
});

test('a router that is away, or something else in its place, is told of in one line', async (t) => {
  const away = await hipache(['top', '--once', '--admin', 'http://127.0.0.1:1']);
  assert.deepEqual([away.status, away.stdout], [1, '']);
  assert.match(away.stderr, /^hipache: http:\/\/127\.0\.0\.1:1: connect ECONNREFUSED.*\n$/);
  const other = createServer((_request, response) => response.end('<html>'));
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const odd = await hipache(['top', '--once', '--admin', `http://127.0.0.1:${port}`]);
  assert.equal(odd.status, 1);
  assert.match(odd.stderr, /no JSON: is this the admin interface\?/);
});

test('answers of another version make no table fail', async (t) => {
  const server = createServer((_request, response) =>
    response.end('{"frontends": [1, null], "total": [], "workers": {}}'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { status, stderr } = await hipache(['top', '--once', '--admin', `http://127.0.0.1:${port}`]);
  assert.deepEqual([status, stderr], [0, '']);
});

test('addresses that are none exit with 2', async () => {
  for (const url of ['https://h:1', 'h:1', 'unix:relative', 'http://h:1/path']) {
    const { status, stderr } = await hipache(['top', '--once', '--admin', url]);
    assert.equal(status, 2, url);
    assert.match(stderr, /option "--admin" needs http:\/\/HOST:PORT or unix:\/PATH/);
  }
});

test('into a pipe it prints a table each second, until it is told to end', async (t) => {
  const { url } = await startAdmin(t);
  const child = spawn(process.execPath, [PROGRAM, 'top', '--admin', url], { stdio: ['ignore', 'pipe', 'inherit'] });
  guard(child);
  t.after(() => child.kill());
  const stdout = gathered(child.stdout);
  await eventually(() => assert.ok(stdout().startsWith(TABLE + TABLE), stdout()), 10_000);
  child.kill('SIGINT');
  const [status] = (await once(child, 'close')) as [number | null];
  assert.equal(status, 0);
});

/** What is written to a terminal, with a sign that can be read for each of its commands. */
function plain(text: string): string {
  return text.replaceAll('\u001B[', '<');
}

/** What stty tells, however it breaks its lines. */
function settings(stty: string): string {
  return stty.replaceAll(/\s+/g, ' ').trim();
}

const hasScript = spawnSync('script', ['--version']).status === 0;

for (const [name, sign] of [
  ['q', 'q'],
  ['Ctrl-C', '\u0003'],
] as const) {
  test(
    `on a terminal the table stays in its place, until ${name}; the terminal is left as it was`,
    { skip: !hasScript },
    async (t) => {
      const { url, server, asked } = await startAdmin(t);
      const line = `stty -a; '${process.execPath}' '${PROGRAM}' top --admin ${url}; echo "exit $?"; stty -a`;
      const child = spawn('script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
      guard(child);
      const stdout = gathered(child.stdout);
      await eventually(() => assert.ok(asked.length >= 6), 10_000);
      // A router that goes does not end it.
      server.close();
      server.closeAllConnections();
      await eventually(() => assert.match(stdout(), /ECONNREFUSED/), 10_000);
      child.stdin.write(sign);
      await once(child, 'close');
      const text = stdout();
      const [before = '', shown = '', left = ''] = plain(text).split(/<\?1049[hl]/);
      assert.match(shown, /^<\?25l<H/);
      assert.match(shown, /FRONTEND {16}STATE/);
      assert.match(shown, /<\?25h$/);
      const [, code, after] = /^exit (\d+)\r\n([\s\S]*)$/.exec(left) ?? [];
      assert.equal(code, '0');
      assert.equal(settings(after ?? ''), settings(before));
    },
  );
}

test('on a terminal keys sort, filter and scroll', { skip: !hasScript }, async (t) => {
  const { url, asked } = await startAdmin(t);
  const line = `stty rows 24 cols 80; '${process.execPath}' '${PROGRAM}' top --admin ${url} --sort state`;
  const child = spawn('script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  guard(child);
  const stdout = gathered(child.stdout);
  const isAsked = (query: string): Promise<void> =>
    eventually(
      () => assert.ok(asked.includes(`/api/v1/summary?${query}&limit=24`), asked.slice(-5).join('\n')),
      10_000,
    );
  await isAsked('sort=state&match=&from=0');
  await eventually(() => assert.match(stdout(), /STATE\*/));
  child.stdin.write('e');
  await isAsked('sort=errors&match=&from=0');
  // A q in a filter does not quit.
  child.stdin.write('/q');
  await isAsked('sort=errors&match=q&from=0');
  await eventually(() => assert.match(stdout(), /filter: q_/));
  child.stdin.write('\r');
  await eventually(() => assert.match(stdout(), /filter: q \(Esc ends it\)/));
  child.stdin.write('\u001B');
  await isAsked('sort=errors&match=&from=0');
  child.stdin.write('q');
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0);
});

test('what to sort by must be a column', async () => {
  const { status, stderr } = await hipache(['top', '--once', '--sort', 'trafic', '--admin', 'http://127.0.0.1:1']);
  assert.equal(status, 2);
  assert.match(stderr, /unknown column "trafic"; did you mean "traffic"\?/);
});

test('colours come on a terminal, unless NO_COLOR forbids them', { skip: !hasScript }, async (t) => {
  const { url } = await startAdmin(t);
  const line = `'${process.execPath}' '${PROGRAM}' top --once --admin ${url}`;
  const shown = async (env: NodeJS.ProcessEnv): Promise<string> => {
    const child = spawn('script', ['-qec', line, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '', ...env },
    });
    guard(child);
    t.after(() => child.kill());
    const stdout = gathered(child.stdout);
    await once(child, 'close');
    return plain(stdout());
  };
  assert.match(await shown({}), /<32mup<0m/);
  assert.doesNotMatch(await shown({ NO_COLOR: '1' }), /<[0-9]+m/);
});
