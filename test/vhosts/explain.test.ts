import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { RouterError } from '../../lib/core/errors.ts';
import { candidates } from '../../lib/core/hostname.ts';
import { choose } from '../../lib/core/selection.ts';
import type { Backend } from '../../lib/core/types.ts';
import type { RouteBook } from '../../lib/store/book.ts';
import { openBook } from '../../lib/store/open-book.ts';
import { RedisStore } from '../../lib/store/redis.ts';
import { explain } from '../../lib/vhosts/explain.ts';
import { adviceFor, frontendOf } from '../../lib/vhosts/frontend.ts';
import { write } from '../support/configurations.ts';
import { pick as pickOf, seeded } from '../support/random.ts';
import { startRedis } from '../support/redis.ts';

const redis = await startRedis({ after });
const url = { scheme: 'redis', redis: redis.address() } as const;
const LIST = ['site', 'http://10.0.0.1:80', 'http://10.0.0.2:80', 'http//10.0.0.3'];

async function open(t: TestContext): Promise<RouteBook> {
  await redis.cli('flushall');
  const book = openBook(url, url, { timeoutMs: 5000 });
  t.after(() => book.close());
  return book;
}

test('a request for a host with a list of its own goes to one of the living', async (t) => {
  const book = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', ...LIST);
  await redis.cli('sadd', 'dead:www.x.io', 1);
  await redis.cli('expire', 'dead:www.x.io', 100);
  const told = await explain(book, 'WWW.x.io:80', '/a?b');
  assert.deepEqual([told.asked, told.host, told.path], ['WWW.x.io:80', 'www.x.io', '/a?b']);
  assert.deepEqual(told.answer, {
    kind: 'backend',
    status: null,
    code: null,
    text: 'the one of 1 living backend of 3',
  });
  assert.deepEqual(
    told.keys.map(({ key, verdict }) => [key, verdict]),
    [
      ['frontend:www.x.io', 'used'],
      ['frontend:*.x.io', 'not reached'],
      ['frontend:*.io', 'not reached'],
      ['frontend:*', 'not reached'],
    ],
  );
  assert.deepEqual(
    told.route?.backends.map(({ state, fault }) => [state, fault]),
    [
      ['alive', null],
      ['dead', null],
      ['unusable', 'not a URL'],
    ],
  );
  const left = told.route?.backends[1]?.secondsLeft ?? 0;
  assert.ok(left > 90 && left <= 100);
  assert.equal(told.dead?.secondsLeft, left);
  assert.deepEqual(
    told.route?.faults.map(({ code }) => code),
    ['bad-url'],
  );
  assert.deepEqual(told.store, { name: book.name, hasHealthChecker: false, faults: [] });
});

test('an identifier alone is passed over for a wildcard that names backends', async (t) => {
  const book = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'site');
  await redis.cli('rpush', 'frontend:*', ...LIST);
  const told = await explain(book, 'www.x.io', '/');
  assert.deepEqual(
    told.keys.map(({ verdict }) => verdict),
    ['names no backend', 'absent', 'absent', 'used'],
  );
  assert.equal(told.route?.key, '*');
  assert.equal(told.answer.text, 'one of 2 living backends of 3, each as likely as the next');
});

test('what the router refuses is told with its status and code', async (t) => {
  const book = await open(t);
  await redis.cli('rpush', 'frontend:bare.io', 'site');
  await redis.cli('rpush', 'frontend:dead.io', ...LIST.slice(0, 3));
  await redis.cli('sadd', 'dead:dead.io', 0, 1);
  await redis.cli('rpush', 'frontend:odd.io', 'site', 'nothing');
  await redis.cli('set', 'frontend:text.io', 'text');
  for (const [host, status, code, pattern] of [
    ['none.io', 400, 'no-frontend', /not found/],
    ['bare.io', 502, 'no-backend', /identifier only/],
    ['dead.io', 502, 'no-backend', /all are dead/],
    ['odd.io', 502, 'no-backend', /backend is invalid/],
    ['text.io', 502, 'route-broken', /frontend:text.io holds a string/],
    ['', 400, 'no-host', /no Host/],
    ['a b', 400, 'bad-host', /is no host/],
  ] as const) {
    const { answer } = await explain(book, host, '/');
    assert.deepEqual(
      { kind: answer.kind, status: answer.status, code: answer.code },
      { kind: 'refused', status, code },
    );
    assert.match(answer.text, pattern);
  }
  assert.deepEqual(
    (await explain(book, 'text.io', '/')).keys.map(({ verdict }) => verdict),
    ['unusable', 'not reached', 'not reached'],
  );
});

test('the router’s own ping is nobody’s frontend', async (t) => {
  const { answer, keys } = await explain(await open(t), '__ping__', '/');
  assert.deepEqual([answer.status, keys], [200, []]);
});

test('a checker that lives is seen', async (t) => {
  const book = await open(t);
  await redis.cli('set', 'hchecker_ping', Math.floor(Date.now() / 1000));
  assert.equal((await explain(book, 'x.io', '/')).store.hasHealthChecker, true);
});

test('keys of other hosts are not near', async (t) => {
  const book = await open(t);
  for (const key of ['www.x.io', 'a.www.x.io', 'www.x.io.evil.io', 'A.www.x.io', '*.www.x.io', 'www.x.io2']) {
    await redis.cli('rpush', `frontend:${key}`, ...LIST);
  }
  await redis.cli('sadd', 'dead:www.x.io', 0);
  await redis.cli('set', 'session:www.x.io', 0);
  assert.deepEqual((await explain(book, 'www.x.io', '/')).near, []);
});

test('routes of a file are explained in the file’s words', async (t) => {
  const path = write({ 'WWW.x.io': ['site', '10.0.0.1:80'], '*.x.io': LIST });
  const file = { scheme: 'file', path } as const;
  const book = openBook(file, file, { timeoutMs: 1000 });
  t.after(() => book.close());
  const { keys, near, route, dead } = await explain(book, 'www.x.io', '/');
  assert.deepEqual([keys[1]?.key, keys[1]?.verdict, route?.key, dead?.holds], ['*.x.io', 'used', '*.x.io', []]);
  assert.equal(route?.faults[0]?.advice, 'write "http://10.0.0.3" for backend 2');
  assert.deepEqual(
    near.map(({ key, faults }) => [key, faults[0]?.code, faults[0]?.advice]),
    [['WWW.x.io', 'upper-case', 'write "www.x.io" for "WWW.x.io"']],
  );
});

test('a frontend is shown with the state of each backend', async (t) => {
  const book = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', ...LIST);
  await redis.cli('sadd', 'dead:www.x.io', 0, 9);
  const { entries } = await book.page({ cursor: null, limit: 10, match: '' });
  const [view] = entries.map((entry) => frontendOf(entry, adviceFor(book)));
  assert.deepEqual(view?.backends, [
    { id: 0, url: LIST[1], state: 'dead', secondsLeft: null, fault: null },
    { id: 1, url: LIST[2], state: 'alive', secondsLeft: null, fault: null },
    { id: 2, url: LIST[3], state: 'unusable', secondsLeft: null, fault: 'not a URL' },
  ]);
  assert.deepEqual(
    view?.faults.map(({ code }) => code),
    ['bad-url', 'dead-out-of-range', 'dead-no-expiry'],
  );
});

test('whatever stands in Redis, what is explained is what the router does', async (t) => {
  const book = await open(t);
  const store = new RedisStore({ read: url.redis, write: url.redis, timeoutMs: 5000, notify: () => {} });
  t.after(() => store.close());
  const random = seeded(7);
  const pick = <T>(choices: readonly [T, ...T[]]): T => pickOf(choices, random);
  const elements: readonly [string, ...string[]] = [
    'http://10.0.0.1',
    'https://b:1',
    'nothing',
    ' http://c ',
    'htps://d',
    'http://e:1/p',
  ];
  for (let round = 0; round < 150; round++) {
    await redis.cli('flushall');
    for (const key of candidates('www.x.io')) {
      const kind = pick(['none', 'none', 'bare', 'list', 'list', 'string']);
      const urls = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(elements));
      if (kind === 'bare') await redis.cli('rpush', `frontend:${key}`, key);
      if (kind === 'list') await redis.cli('rpush', `frontend:${key}`, key, ...urls);
      if (kind === 'string') await redis.cli('set', `frontend:${key}`, 'text');
    }
    const marks = pick<readonly string[]>([[], ['0'], ['0', '1', '2'], ['x', '7', '01', '1']]);
    if (marks.length > 0) await redis.cli('sadd', 'dead:www.x.io', ...marks);
    else if (random() < 0.2) await redis.cli('set', 'dead:www.x.io', 'text');

    const told = await explain(book, 'www.x.io', '/');
    const route = await store.find(candidates('www.x.io'), '/').catch((error: RouterError) => error);
    if (route instanceof Error) {
      assert.equal(told.answer.code, route.code);
      assert.equal(told.keys.filter(({ verdict }) => verdict === 'unusable').length, 1);
      continue;
    }
    assert.equal(told.route?.key ?? null, route?.key ?? null);
    if (route === null) {
      assert.equal(told.answer.code, 'no-frontend');
      continue;
    }
    let alive: readonly Backend[] = [];
    try {
      const traits = { method: 'GET', path: '/', clientIp: '', hasBody: false };
      choose(
        route,
        new Set(),
        (living) => ((alive = living), living[0] as Backend),
        traits,
        () => 0,
      );
      assert.equal(told.answer.kind, 'backend');
    } catch (error) {
      assert.ok(error instanceof RouterError);
      assert.deepEqual(
        [told.answer.status, told.answer.code, told.answer.text.split(';')[0]],
        [502, error.code, error.message],
      );
    }
    const states = told.route?.backends.filter(({ state }) => state === 'alive').map(({ id }) => id);
    assert.deepEqual(
      states,
      alive.map(({ id }) => id),
    );
  }
});
