import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import type { Explanation } from '../../lib/diagnostics/explanation.ts';
import { ask } from '../support/client.ts';
import { says, startBackend } from '../support/backends.ts';
import { hipache, type Outcome } from '../support/command.ts';
import { write } from '../support/configurations.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

const redis = await startRedis({ after });
const driver = ['--driver', `redis://127.0.0.1:${redis.port}`];
/** What an edit says at the end of its first line. */
const IN = `, in redis://127.0.0.1:${redis.port}/0`;
const WRITTEN = `written to redis://127.0.0.1:${redis.port}/0\n`;
const A = 'http://10.0.0.1:80';
const B = 'http://10.0.0.2:80';

const route = (...args: readonly string[]): Promise<Outcome> => hipache(['route', ...args, ...driver]);
const stored = (key: string): Promise<unknown> => redis.cli('lrange', `frontend:${key}`, 0, -1);

/** It went well, and said this. */
function fine({ status, stdout, stderr }: Outcome, said: string): void {
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: said, stderr: '' });
}

/** It failed, and said why in one line. */
function failed({ status, stdout, stderr }: Outcome, why: RegExp, code = 1): void {
  assert.equal(status, code, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, why);
  assert.match(stderr, /^hipache: .*\n$/);
}

test('a frontend is set, shown, changed and removed, as redis-cli would', async () => {
  await redis.cli('flushall');
  fine(await route('set', 'www.x.com', 'mywebsite', A), `www.x.com: created, 1 backend${IN}\n`);
  fine(await route('add', 'WWW.x.com:80', B), `www.x.com: 1 added, 2 backends now${IN}\n`);
  assert.deepEqual(await stored('www.x.com'), ['mywebsite', A, B]);
  fine(await route('add', 'www.x.com', B), `www.x.com: all there already, 2 backends${IN}\n`);
  await redis.cli('sadd', 'dead:www.x.com', 1);
  await redis.cli('expire', 'dead:www.x.com', 1000);
  const shown = await route('show', 'www.x.com');
  assert.match(
    shown.stdout,
    /^www\.x\.com {2}"mywebsite"\n {2}0 {2}http:\/\/10\.0\.0\.1:80 {2}not marked dead\n {2}1 {2}http:\/\/10\.0\.0\.2:80 {2}dead for \d+ s more, by a checker, an operator or an older router\n$/,
  );
  fine(await route('remove', 'www.x.com', A), `www.x.com: backend removed, 1 backend left${IN}\n`);
  assert.equal(await redis.cli('exists', 'dead:www.x.com'), 0);
  failed(await route('remove', 'www.x.com', B), /is the last backend of www\.x\.com/);
  fine(await route('remove', 'www.x.com', B, '--force'), `www.x.com: backend removed, 0 backends left${IN}\n`);
  fine(await route('set', 'www.x.com', 'other', A, B), `www.x.com: replaced, 2 backends${IN}\n`);
  fine(await route('remove', 'www.x.com'), `www.x.com: removed${IN}\n`);
  assert.deepEqual(await redis.cli('keys', '*'), ['routes:log']);
});

test('a host with letters beyond ASCII is written, shown and explained as clients send it', async () => {
  const set = await route('set', 'Bücher.example', 'books', 'http://10.0.0.1:80');
  assert.match(set.stdout, /^xn--bcher-kva\.example: created, 1 backend, /);
  assert.match((await route('show', 'bücher.example')).stdout, /^xn--bcher-kva\.example {2}"books"/);
  for (const host of ['bücher.example', 'xn--bcher-kva.example']) {
    assert.equal((await route('explain', host)).status, 0);
  }
  const { stdout } = await route('explain', 'bücher.example', '--json');
  const { host, route: found } = JSON.parse(stdout) as Explanation;
  assert.deepEqual([host, found?.key], ['xn--bcher-kva.example', 'xn--bcher-kva.example']);
  assert.equal((await route('remove', 'BÜCHER.example')).status, 0);
});

test('what is not there is told, and how it is made', async () => {
  await redis.cli('flushall');
  failed(await route('show', 'www.x.com'), /there is no frontend www\.x\.com/);
  failed(await route('remove', 'www.x.com'), /there is no frontend www\.x\.com/);
  failed(await route('remove', 'www.x.com', A), /there is no frontend www\.x\.com/);
  failed(
    await route('add', 'www.x.com', A),
    /--name NAME creates it, and so does "hipache route set www\.x\.com NAME URL"/,
  );
  fine(await route('add', 'www.x.com', A, '--name', 'site'), `www.x.com: created, 1 backend${IN}\n`);
  assert.deepEqual(await stored('www.x.com'), ['site', A]);
  failed(await route('remove', 'www.x.com', B), /www\.x\.com has no backend http:\/\/10\.0\.0\.2:80/);
});

test('what would not work is not written, unless that is asked for', async () => {
  await redis.cli('flushall');
  failed(
    await route('set', 'www.x.com', 'site', '10.0.0.1:80'),
    /it does not start with http:\/\/; nothing was written/,
  );
  failed(await route('set', 'www.x.com', A, B), /the first element is the identifier/);
  failed(await route('set', 'www.x.com', 'site'), /has the identifier "site" and no backend|takes HOST/);
  failed(await route('set', '.x.com', 'site', A), /did you mean "\*\.x\.com"\?/, 2);
  failed(await route('set', '*.a.b.c.d.e.f', 'site', A), /wildcards reach five labels/, 2);
  assert.deepEqual(await redis.cli('keys', '*'), []);
  assert.equal((await route('set', 'www.x.com', 'site', '10.0.0.1:80', '--force')).status, 0);
  assert.deepEqual(await stored('www.x.com'), ['site', '10.0.0.1:80']);
  await redis.cli('set', 'frontend:text.x.com', 'text');
  failed(await route('set', 'text.x.com', 'site', A), /holds a string, not a list/);
  assert.equal((await route('set', 'text.x.com', 'site', A, '--force')).status, 0);
  assert.deepEqual(await stored('text.x.com'), ['site', A]);
});

test('the list has a line for each, aligned, and only those that match', async () => {
  await redis.cli('flushall');
  await route('set', 'www.x.com', 'mywebsite', A, B);
  await route('set', '*.x.com', 'w', A);
  await redis.cli('rpush', 'frontend:odd.y.com', 'odd', 'htps://h');
  fine(
    await route('list'),
    [
      'HOST       NAME       BACKENDS  DEAD  FAULTS',
      '*.x.com    w          1         0     -',
      'odd.y.com  odd        1         0     bad-scheme',
      'www.x.com  mywebsite  2         0     -',
      '',
    ].join('\n'),
  );
  const { stdout } = await route('list', '--match', 'y.com', '--json');
  const { frontends, next } = JSON.parse(stdout) as { frontends: readonly { key: string }[]; next: null };
  assert.deepEqual([frontends.map(({ key }) => key), next], [['odd.y.com'], null]);
  fine(await route('list', '--match', 'nothing', '--json'), '{"frontends":[],"next":null}\n');
});

test('explain tells where a request goes, for people and for programs', async () => {
  await redis.cli('flushall');
  await route('set', '*.x.com', 'wild', A);
  const { status, stdout } = await route('explain', 'https://www.x.com/shop?a=1');
  assert.equal(status, 0);
  assert.match(stdout, /^A request for www\.x\.com\/shop\?a=1 goes to the one of 1 living backend of 1\.\n/);
  assert.match(
    stdout,
    /\n {2}absent {7}frontend:www\.x\.com {2}-\n {2}used {9}frontend:\*\.x\.com {4}"wild", 1 backend\n/,
  );
  const unknown = await route('explain', 'other.com', '--json');
  assert.equal(unknown.status, 1);
  assert.equal((JSON.parse(unknown.stdout) as { answer: { code: string } }).answer.code, 'no-frontend');
});

test('a frontend with a path is set, shown, listed and removed, and is among the prefixes of its host meanwhile', async () => {
  await redis.cli('flushall');
  await route('set', 'www.x.com', 'site', A);
  fine(await route('set', 'WWW.x.com:80/API', 'api', B), `www.x.com/API: created, 1 backend${IN}\n`);
  fine(await route('add', 'www.x.com/API', A), `www.x.com/API: 1 added, 2 backends now${IN}\n`);
  assert.deepEqual(await redis.cli('smembers', 'prefixes:www.x.com'), ['/API']);
  assert.match((await route('show', 'www.x.com/API')).stdout, /^www\.x\.com\/API {2}"api"\n/);
  assert.match((await route('list')).stdout, /\nwww\.x\.com\/API +api +2 +0 +-\n/);
  failed(await route('set', 'www.x.com/API/', 'api', B), /did you mean "www\.x\.com\/API"\?/, 2);
  failed(await route('show', 'www.x.com/api'), /there is no frontend www\.x\.com\/api/);
  await route('options', 'www.x.com', 'hsts=1');
  fine(
    await route('remove', 'www.x.com'),
    `www.x.com: removed${IN}\nleft as they are: www.x.com/API, options:www.x.com\n`,
  );
  const removed = await route('remove', 'www.x.com', '--force', '--json');
  assert.deepEqual(JSON.parse(removed.stdout), {
    key: 'www.x.com',
    removed: true,
    left: ['www.x.com/API', 'options:www.x.com'],
    store: `redis://127.0.0.1:${redis.port}/0`,
  });
  fine(await route('remove', 'www.x.com/API'), `www.x.com/API: removed${IN}\n`);
  await route('options', 'www.x.com', 'hsts=');
  assert.deepEqual(await redis.cli('keys', '*'), ['routes:log']);
});

test('options are shown, set and removed; what would not count is not written, unless that is asked for', async () => {
  await redis.cli('flushall');
  await route('set', 'www.x.com/api', 'api', A);
  fine(await route('options', 'www.x.com/api'), 'www.x.com/api: no options of its own\n');
  fine(
    await route('options', 'www.x.com/api', 'rewrite=^/api/(.*)$ /$1?a=b', 'hsts=1'),
    `www.x.com/api\n  rewrite  ^/api/(.*)$ /$1?a=b\n  hsts     1\n${WRITTEN}`,
  );
  fine(await route('options', 'www.x.com/api', 'rewrite=', 'none='), `www.x.com/api\n  hsts  1\n${WRITTEN}`);
  fine(await route('options', 'www.x.com/api', '--json'), '{"hsts":"1"}\n');
  fine(await route('options', '*', 'hsts=2', '--json'), '{"hsts":"2"}\n');
  failed(
    await route('options', 'www.x.com', 'hts=1', 'state=off', 'strip=1'),
    /"hts": there is no such option; did you mean "hsts"\?; "state": it is "live", "maintenance" or "paused"; nothing was/,
  );
  assert.equal(await redis.cli('exists', 'options:www.x.com'), 0);
  failed(await route('options', 'www.x.com', 'strip'), /"strip" is no FIELD=VALUE/, 2);
  failed(await route('options', '.x.com'), /did you mean "\*\.x\.com"\?/, 2);
  const forced = await route('options', 'www.x.com/api', 'hts=1', '--force');
  assert.equal(forced.status, 0);
  assert.match(forced.stdout, /\nerror option-unknown: "hts": there is no such option; did you mean "hsts"\?\n/);
  const unknown = await route('options', 'old.x.com', 'hsts=1');
  assert.match(unknown.stdout, /\nnote side-stale: no frontend has this key\n/);
  await redis.cli('set', 'options:text.x.com', 'text');
  failed(await route('options', 'text.x.com', 'strip=1'), /options:text\.x\.com holds a string, not a hash/);
});

test('header fields are shown, set, emptied and removed; those that are not the operator’s are refused', async () => {
  await redis.cli('flushall');
  await route('set', 'www.x.com', 'site', A);
  fine(await route('headers', 'www.x.com'), 'www.x.com: no header fields of its own\n');
  fine(
    await route('headers', 'www.x.com', 'response:X-Frame-Options=DENY', 'response:Server=', 'request:X-Key=a=b'),
    `www.x.com\n  response:X-Frame-Options  DENY\n  response:Server           ""\n  request:X-Key             a=b\n${WRITTEN}`,
  );
  assert.deepEqual(await redis.cli('hgetall', 'headers:www.x.com'), {
    'response:X-Frame-Options': 'DENY',
    'response:Server': '',
    'request:X-Key': 'a=b',
  });
  assert.match((await route('explain', 'www.x.com')).stdout, /\n {2}request:X-Key +a=b +headers:www\.x\.com\n/);
  fine(
    await route('headers', 'www.x.com', 'response:Server', 'request:X-Key', 'none', '--json'),
    '{"response:X-Frame-Options":"DENY"}\n',
  );
  failed(
    await route('headers', 'www.x.com', 'response:Connection=close', 'X-A=1', 'request:X-A=a\nb', 'request:Host='),
    /"response:Connection": the field is about one.*"X-A": it is neither.*"request:X-A": its value.*"request:Host": .*nothing was/,
  );
  failed(await route('headers', 'www.x.com', '=1'), /"=1" is no FIELD=VALUE/, 2);
  assert.equal(await redis.cli('hlen', 'headers:www.x.com'), 1);
  assert.match((await route('remove', 'www.x.com')).stdout, /left as they are: headers:www\.x\.com\n/);
});

test('weights are shown, set and removed; those that mean nothing are refused', async () => {
  await redis.cli('flushall');
  await route('set', 'www.x.com', 'site', A, B);
  fine(await route('weights', 'www.x.com'), 'www.x.com: no weights of its own\n');
  fine(
    await route('weights', 'www.x.com', `${A}=0`, `${B}=100 eu-1`),
    `www.x.com\n  ${A}  0\n  ${B}  100 eu-1\n${WRITTEN}`,
  );
  assert.deepEqual(await redis.cli('hgetall', 'weights:www.x.com'), { [A]: '0', [B]: '100 eu-1' });
  assert.match((await route('explain', 'www.x.com')).stdout, /the one of 1 of 2 living backends of 2 \(the others are/);
  fine(await route('weights', 'www.x.com', `${A}=`, '--json'), `{"${B}":"100 eu-1"}\n`);
  failed(
    await route('weights', 'www.x.com', `${A}=1001`, '0=5'),
    /1001|whole number from 0 to 1000.*"0": it is no URL of a backend; nothing was/,
  );
  failed(await route('weights', 'www.x.com', A), /is no URL=WEIGHT/, 2);
  assert.match((await route('weights', 'www.x.com', 'http://10.9.9.9=5')).stdout, /weight-unlisted/);
});

test('active checks are shown, set and removed; fields that mean nothing are refused', async () => {
  await redis.cli('flushall');
  await route('set', 'www.x.com', 'site', A, B);
  fine(await route('checks', 'www.x.com'), 'www.x.com: no active checks\n');
  fine(
    await route('checks', 'www.x.com', 'path=/health', 'interval=7', 'body=a=b'),
    `www.x.com\n  path      /health\n  interval  7\n  body      a=b\n${WRITTEN}`,
  );
  assert.deepEqual(await redis.cli('hgetall', 'healthcheck:www.x.com'), {
    path: '/health',
    interval: '7',
    body: 'a=b',
  });
  fine(await route('checks', 'www.x.com', 'body=', '--json'), '{"path":"/health","interval":"7"}\n');
  failed(
    await route('checks', 'www.x.com', 'intervall=5', 'rise=0'),
    /"intervall": there is no such field of a check; did you mean "interval"\?; "rise": it is a whole number.*nothing was/,
  );
  failed(await route('checks', 'www.x.com', 'none'), /"none" is no FIELD=VALUE/, 2);
  assert.match((await route('checks', 'www.x.com', 'service=s')).stdout, /\nnote check-idle: /);
  fine(await route('checks', 'www.x.com', 'off'), `www.x.com: no active checks\n${WRITTEN}`);
  assert.equal(await redis.cli('exists', 'healthcheck:www.x.com'), 0);
  await route('set', '*.x.com', 'wild', A, B);
  await redis.cli('sadd', 'down:*.x.com', B);
  fine(
    await route('show', '*.x.com'),
    `*.x.com  "wild"\n  0  ${A}  not marked dead\n  1  ${B}  dead, without expiry\n`,
  );
});

test('in a routes file options and paths are edited, too', async () => {
  const path = write({ 'www.x.com': ['site', A], 'options:www.x.com': { hsts: 5 } });
  const file = ['--driver', `file:${path}`];
  fine(
    await hipache(['route', 'set', 'www.x.com/api', 'api', B, ...file]),
    `www.x.com/api: created, 1 backend, in ${path}\n`,
  );
  fine(
    await hipache(['route', 'options', 'www.x.com/api', 'strip=1', ...file]),
    `www.x.com/api\n  strip  1\nwritten to ${path}\n`,
  );
  fine(
    await hipache(['route', 'options', 'www.x.com', 'hsts=', ...file]),
    `www.x.com: no options of its own\nwritten to ${path}\n`,
  );
  fine(
    await hipache(['route', 'headers', 'www.x.com/api', 'response:Server=', ...file]),
    `www.x.com/api\n  response:Server  ""\nwritten to ${path}\n`,
  );
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
    'www.x.com': ['site', A],
    'www.x.com/api': ['api', B],
    'options:www.x.com/api': { strip: '1' },
    'headers:www.x.com/api': { 'response:Server': '' },
  });
  await hipache(['route', 'headers', 'www.x.com/api', 'response:Server', ...file]);
  assert.match(
    (await hipache(['route', 'explain', 'www.x.com/api/users', ...file])).stdout,
    /\n {2}prefixes:www\.x\.com: \/api matches\n {2}strip {2}1 {2}options:www\.x\.com\/api\n {2}the backend gets the path \/users\n/,
  );
});

test('explain tells of prefixes, options, redirects and maintenance, by the configuration’s word, too', async () => {
  await redis.cli('flushall');
  await route('set', 'www.x.com', 'site', A);
  await route('set', 'www.x.com/api', 'api', B);
  await redis.cli('sadd', 'prefixes:www.x.com', '/api/v2');
  await route('options', 'www.x.com/api', 'prepend=/v1', 'strip=1');
  const { status, stdout } = await route('explain', 'www.x.com/api/v2/users?a=b');
  assert.equal(status, 0);
  assert.match(stdout, /^A request for www\.x\.com\/api\/v2\/users\?a=b goes to the one of 1 living backend of 1\.\n/);
  assert.match(stdout, /\n {2}used +frontend:www\.x\.com\/api +"api", 1 backend\n/);
  assert.match(stdout, /\n {2}prefixes:www\.x\.com: \/api matches; \/api\/v2 would, and names no backend\n/);
  assert.match(stdout, /\n {2}prepend {2}\/v1 {2}options:www\.x\.com\/api\n/);
  assert.match(stdout, /\n {2}the backend gets the path \/v1\/v2\/users\?a=b\n/);
  assert.match(stdout, /\n {2}prefixes:www\.x\.com: note prefix-without-list: /);
  const config = write({
    driver: `redis://127.0.0.1:${redis.port}`,
    options: { https: 'redirect' },
    https: { bind: ['127.0.0.1'], port: 8443, key: '/none.key', cert: '/none.crt' },
  });
  const plain = await hipache(['route', 'explain', 'www.x.com/a', '-c', config]);
  assert.match(
    plain.stdout,
    /^A request for .* gets 308: the client is redirected to https:\/\/www\.x\.com:8443\/a\.\n/,
  );
  assert.match(plain.stdout, /\n {2}https {2}redirect {2}configuration\n/);
  assert.equal(plain.status, 0);
  const secure = await hipache(['route', 'explain', 'https://www.x.com/a', '-c', config]);
  assert.match(secure.stdout, /goes to the one of 1 living backend/);
  await route('options', 'www.x.com', 'state=maintenance');
  const down = await route('explain', 'www.x.com');
  assert.equal(down.status, 1);
  assert.match(down.stdout, /gets 503 maintenance: the site is in maintenance\./);
  await route('options', 'www.x.com', 'state=paused');
  assert.match((await route('explain', 'www.x.com')).stdout, /waits: the site is paused/);
});

test('no control character of others reaches the terminal', async () => {
  await redis.cli('flushall');
  const evil = '\u001B]0;owned\u0007\u009B31m\u202E\n';
  await redis.cli('rpush', 'frontend:www.x.com', evil, `http://h${evil}`);
  await redis.cli('rpush', `frontend:${evil}`, 'x', evil);
  await redis.cli('rpush', `frontend:www.x.com${evil}`, 'x', evil);
  for (const args of [['list'], ['show', 'www.x.com'], ['explain', 'www.x.com'], ['show', evil, '--force']]) {
    const { stdout, stderr } = await route(...args);
    assert.match(stdout + stderr, /x1b/i);
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}|\p{Cf}/u);
    assert.doesNotMatch(stderr.replaceAll('\n', ''), /\p{Cc}|\p{Cf}/u);
  }
  const { stdout } = await hipache(['lint', ...driver]);
  assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}|\p{Cf}/u);
});

test('usage errors exit with 2, and say what was meant', async () => {
  failed(await hipache(['route']), /no command given; there are list, show/, 2);
  failed(await hipache(['route', 'lst']), /unknown command "lst"; did you mean "list"\?/, 2);
  failed(await hipache(['route', 'show']), /"route show" needs HOST/, 2);
  failed(await hipache(['route', 'list', 'x']), /unexpected argument "x": "route list" takes options only/, 2);
  failed(await hipache(['route', 'show', 'x', 'y']), /unexpected argument "y": "route show" takes HOST/, 2);
  failed(await hipache(['route', 'list', '--forc']), /unknown option "--forc"; did you mean "--force"\?/, 2);
  failed(await hipache(['route', 'list', '--driver']), /option "--driver" needs a URL/, 2);
  failed(await hipache(['route', 'list', '--driver', 'mysql://u:pw@h']), /is no driver URL/, 2);
  failed(await hipache(['route', 'list', '-c', 'x', '--driver', 'redis:']), /not both/, 2);
  failed(await hipache(['route', 'show', 'x', '--match', 'y']), /"--match" is for "route list"/, 2);
});

test('each command prints its own help', async () => {
  for (const name of ['route', 'apply', 'export', 'dead', 'lint', 'top', 'health', 'completion']) {
    for (const argv of [
      [name, '--help'],
      [name, '-h'],
      [name, 'help'],
      ['help', name],
    ]) {
      const { status, stdout } = await hipache(argv);
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^Usage: hipache ${name} `));
    }
  }
});

test('with --json what was done is JSON, and failures too', async () => {
  await redis.cli('flushall');
  const { status, stdout, stderr } = await route('show', 'www.x.com', '--json');
  assert.deepEqual([status, stderr], [1, '']);
  const store = `redis://127.0.0.1:${redis.port}/0`;
  const set = await route('set', 'www.x.com', 'site', A, '--json');
  const shown = { id: 0, url: A, state: 'alive', secondsLeft: null, trialInSeconds: null, markedBy: null, fault: null };
  assert.deepEqual(JSON.parse(set.stdout), { key: 'www.x.com', name: 'site', backends: [shown], faults: [], store });
  const removed = await route('remove', 'www.x.com', '--json');
  assert.deepEqual(JSON.parse(removed.stdout), { key: 'www.x.com', removed: true, store });
  assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'no-frontend');
});

test('a Redis that is away is told of in one line', async () => {
  failed(await hipache(['route', 'list', '--driver', 'redis://127.0.0.1:1']), /ECONNREFUSED/);
});

test('the configuration of the router says where routes are; keys of certificates need not be readable', async (t) => {
  const url = `redis://127.0.0.1:${redis.port}/3#site:`;
  const https = { bind: ['127.0.0.1'], key: '/none.key', cert: '/none.crt' };
  const path = write({ driver: url, https, server: { storeTimeout: 5 } });
  const { status, stderr } = await hipache(['route', 'set', 'www.x.com', 'site', A, '-c', path]);
  assert.deepEqual([status, stderr], [0, '']);
  await redis.cli('select', 3);
  t.after(() => redis.cli('select', 0));
  assert.deepEqual(await stored('www.x.com'), []);
  assert.deepEqual(await redis.cli('lrange', 'site:frontend:www.x.com', 0, -1), ['site', A]);
});

test('a configuration with faults is told of, each in a line, then which file has them; with --json, all of them', async () => {
  const path = write({ driver: 'mysql:', server: { workers: 0 } });
  const { status, stderr } = await hipache(['route', 'list', '-c', path]);
  assert.equal(status, 1);
  const [first, second, last] = stderr.split('\n');
  assert.match(first ?? '', /^hipache: server\.workers: /);
  assert.match(second ?? '', /^hipache: driver: /);
  assert.equal(last, `hipache: ${path} has 2 faults`);
  const answer = JSON.parse((await hipache(['route', 'list', '-c', path, '--json'])).stdout) as object;
  const faults = [first, second].map((line) => line?.replace('hipache: ', ''));
  assert.deepEqual(answer, { error: { code: 'bad-config', message: faults[0] }, faults });
});

test('a router with a routes file serves what the command has written', async (t) => {
  const [one, two] = [await startBackend(t, says('one')), await startBackend(t, says('two'))];
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', one.url] },
    server: { fastLane: true },
  });
  const config = ['-c', `${router.folder}/config.json`];
  fine(
    await hipache(['route', 'set', 'new.test', 'new', two.url, ...config]),
    `new.test: created, 1 backend, in ${router.folder}/routes.json\n`,
  );
  await eventually(async () => assert.equal((await ask({ port: router.port, host: 'new.test' })).body, 'two'));
  assert.equal((await ask({ port: router.port, host: 'site.test' })).body, 'one');
  assert.match(
    readFileSync(`${router.folder}/routes.json`, 'utf8'),
    /^\{\n {2}"site\.test": .*,\n {2}"new\.test": .*\n\}\n$/,
  );
});

test('eight commands that add to one file at once lose nothing', async () => {
  const path = write({ 'site.test': ['site', A] });
  const urls = Array.from({ length: 8 }, (_, i) => `http://10.0.1.${i}:80`);
  const outcomes = await Promise.all(
    urls.map((url) => hipache(['route', 'add', 'site.test', url, '--driver', `file:${path}`])),
  );
  for (const { status, stderr } of outcomes) assert.deepEqual([status, stderr], [0, '']);
  const routes = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string[]>;
  assert.deepEqual(routes['site.test']?.slice(2).toSorted(), urls);
});

test('whoever has seen enough may close the pipe', async () => {
  const path = write(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`h${i}.io`, ['site', A]])));
  const { stderr, stdout } = spawnSync(
    'bash',
    [
      '-c',
      `set -o pipefail; "$0" "$1" route list --driver "file:$2" | head -1; echo "$?"`,
      process.execPath,
      programPath(),
      path,
    ],
    { encoding: 'utf8' },
  );
  assert.deepEqual([stdout.split('\n').slice(1), stderr], [['0', ''], '']);
});

test('bash completes commands, their words and their options', async () => {
  const { stdout: script } = await hipache(['completion', 'bash']);
  for (const [line, expected] of [
    ['hipache ro', ['route']],
    ['hipache route e', ['explain']],
    ['hipache route o', ['options']],
    ['hipache route --js', ['--json']],
    ['hipache lint --', ['--config', '--driver', '--json', '--help']],
    ['hipache completion z', ['zsh']],
    ['hipache v', ['version']],
    ['hipache help t', ['top']],
    ['hipache --q', ['--quiet']],
  ] as const) {
    const words = line.split(' ');
    const completing = `${script}\ncomplete -p hipache >/dev/null || exit 1
COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _hipache; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-u', '-c', completing], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    assert.deepEqual(stdout.trim().split('\n'), expected);
  }
  assert.match((await hipache(['completion', 'zsh'])).stdout, /^#compdef hipache\n/);
  failed(await hipache(['completion', 'fish']), /unknown shell "fish"/, 2);
});

function programPath(): string {
  return new URL('../../bin/hipache.js', import.meta.url).pathname;
}
