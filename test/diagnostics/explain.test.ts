import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { writeResult } from '../../lib/core/health/check-result.ts';
import { RouterError } from '../../lib/core/errors.ts';
import { candidates } from '../../lib/core/routing/hostname.ts';
import { redirectByEntry } from '../../lib/core/routing/redirect.ts';
import { NO_VALUES } from '../../lib/core/balance/sticky.ts';
import { RecentTurns } from '../../lib/core/balance/turns.ts';
import { choose, NO_LOAD, NO_RESTS, NO_TRIALS } from '../../lib/core/routing/selection.ts';
import type { Backend, Selection } from '../../lib/core/routing/types.ts';
import type { RouteEditor } from '../../lib/store/editor/route-editor.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { explain } from '../../lib/diagnostics/explain.ts';
import { frontendOf } from '../../lib/diagnostics/frontend.ts';
import { write } from '../support/configurations.ts';
import { pick as pickOf, seeded } from '../support/random.ts';
import { startRedis } from '../support/redis.ts';

const redis = await startRedis({ after });
const url = { scheme: 'redis', redis: redis.address() } as const;
const REST = {
  now: () => 0,
  turns: new RecentTurns(),
  zone: null,
  sticky: NO_VALUES,
  trials: NO_TRIALS,
  outliers: NO_RESTS,
  aliveSince: () => 0,
};
const LIST = ['site', 'http://10.0.0.1:80', 'http://10.0.0.2:80', 'http//10.0.0.3'];

async function open(t: TestContext): Promise<RouteEditor> {
  await redis.cli('flushall');
  const editor = openEditor(url, url, { timeoutMs: 5000 });
  t.after(() => editor.close());
  return editor;
}

test('explain has the last checks of backends, and which backends wait for the first good one', async (t) => {
  const editor = await open(t);
  const [one = '', two = ''] = LIST.slice(1);
  await redis.cli('rpush', 'frontend:www.x.io', ...LIST);
  const result = { hasPassed: true, detail: 'status 200', at: Date.now() - 2_000, tookMs: 3, router: 'r1' };
  const text = writeResult({ ...result, state: { is: 'up', streak: 0 } });
  await redis.cli('hset', 'check:www.x.io', one, text, 'http://10.0.0.9', text);
  await redis.cli('sadd', 'checked:www.x.io', one);
  const told = await explain(editor, 'www.x.io', '/');
  assert.equal(told.answer.text, 'the one of 1 living backend of 3');
  assert.deepEqual(
    told.checks.map(({ secondsAgo, ...rest }) => [secondsAgo !== null && secondsAgo >= 2, rest]),
    [
      [true, { url: one, state: 'up', waits: false, passed: true, detail: 'status 200', router: 'r1' }],
      [false, { url: two, state: 'new', waits: true, passed: null, detail: null, router: null }],
    ],
  );
});

test('what checks have found of a list under a wildcard is explained for each of its hosts, and shown of the list', async (t) => {
  const editor = await open(t);
  const [one = '', two = ''] = LIST.slice(1);
  await redis.cli('rpush', 'frontend:*.x.io', ...LIST);
  await redis.cli('hset', 'healthcheck:*.x.io', 'path', '/');
  await redis.cli('sadd', 'down:*.x.io', two);
  await redis.cli('expire', 'down:*.x.io', 30);
  const { answer, route, dead, beside } = await explain(editor, 'www.x.io', '/');
  assert.equal(answer.text, 'the one of 1 living backend of 3');
  assert.deepEqual(
    route?.backends.map(({ state, markedBy }) => [state, markedBy]),
    [
      ['alive', null],
      ['dead', 'router'],
      ['unusable', null],
    ],
  );
  assert.deepEqual([dead?.type, dead?.faults], ['none', []]);
  assert.deepEqual(
    beside.flatMap(({ faults }) => faults),
    [],
  );
  const { entries } = await editor.page({ cursor: null, limit: 10, match: '' });
  const shown = entries.map((entry) => frontendOf(entry, editor.advice));
  assert.deepEqual(
    shown.map(({ key, backends, faults }) => [key, backends[1]?.state, faults.map(({ code }) => code)]),
    [['*.x.io', 'dead', ['bad-url']]],
  );
  // Without a living one, all get requests.
  await redis.cli('sadd', 'down:*.x.io', one);
  const all = await explain(editor, 'www.x.io', '/');
  assert.equal(all.answer.kind, 'backend');
  assert.deepEqual(
    all.route?.backends.map(({ state }) => state),
    ['alive', 'alive', 'unusable'],
  );
});

test('a request for a host with a list of its own goes to one of the living', async (t) => {
  const editor = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', ...LIST);
  await redis.cli('sadd', 'dead:www.x.io', 1);
  await redis.cli('expire', 'dead:www.x.io', 100);
  const told = await explain(editor, 'WWW.x.io:80', '/a?b');
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
  assert.deepEqual(told.store, { name: editor.name, hasHealthChecker: false, faults: [] });
});

test('an identifier alone is passed over for a wildcard that names backends', async (t) => {
  const editor = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'site');
  await redis.cli('rpush', 'frontend:*', ...LIST);
  const told = await explain(editor, 'www.x.io', '/');
  assert.deepEqual(
    told.keys.map(({ verdict }) => verdict),
    ['names no backend', 'absent', 'absent', 'used'],
  );
  assert.equal(told.route?.key, '*');
  assert.equal(told.answer.text, 'one of 2 living backends of 3, with equal probability');
});

test('a site that rests outliers is said to', async (t) => {
  const editor = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1', 'http://10.0.0.2');
  await redis.cli('hset', 'options:www.x.io', 'eject', '5xx:50% 10s');
  const { answer } = await explain(editor, 'www.x.io', '/');
  assert.match(answer.text, /^one of 2 living backends of 2, .*; each worker rests those that fail far more often/);
});

test('a limit above the configuration’s is said to be capped', async (t) => {
  const editor = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1');
  await redis.cli(
    'hset',
    'options:www.x.io',
    'timeouts.firstByte',
    '60',
    'timeouts.connect',
    '1',
    'timeouts.body',
    '60',
  );
  const caps = new Map([
    ['timeouts.firstByte', 30],
    ['timeouts.connect', 5],
    ['timeouts.body', 0],
  ]);
  const { answer } = await explain(editor, 'www.x.io', '/', { scheme: 'http', httpsPort: null, caps });
  assert.equal(
    answer.text,
    'the one of 1 living backend of 1; timeouts.firstByte is 30, since server.timeouts.firstByte allows no more',
  );
});

test('what the router refuses is told with its status and code', async (t) => {
  const editor = await open(t);
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
    ['text.io', 502, 'route-broken', /frontend:text.io is a string/],
    ['', 400, 'no-host', /no Host/],
    ['a b', 400, 'bad-host', /is not a host/],
  ] as const) {
    const { answer } = await explain(editor, host, '/');
    assert.deepEqual(
      { kind: answer.kind, status: answer.status, code: answer.code },
      { kind: 'refused', status, code },
    );
    assert.match(answer.text, pattern);
  }
  assert.deepEqual(
    (await explain(editor, 'text.io', '/')).keys.map(({ verdict }) => verdict),
    ['unusable', 'not reached', 'not reached'],
  );
});

test('the router’s own ping is nobody’s frontend', async (t) => {
  const { answer, keys } = await explain(await open(t), '__ping__', '/');
  assert.deepEqual([answer.status, keys], [200, []]);
});

test('a checker that lives is seen', async (t) => {
  const editor = await open(t);
  await redis.cli('set', 'hchecker_ping', Math.floor(Date.now() / 1000));
  assert.equal((await explain(editor, 'x.io', '/')).store.hasHealthChecker, true);
});

test('keys of other hosts are not near', async (t) => {
  const editor = await open(t);
  for (const key of ['www.x.io', 'a.www.x.io', 'www.x.io.evil.io', 'A.www.x.io', '*.www.x.io', 'www.x.io2']) {
    await redis.cli('rpush', `frontend:${key}`, ...LIST);
  }
  await redis.cli('sadd', 'dead:www.x.io', 0);
  await redis.cli('set', 'session:www.x.io', 0);
  assert.deepEqual((await explain(editor, 'www.x.io', '/')).near, []);
});

test('a backend is shown as dead until its trial, and then as on trial', async (t) => {
  const editor = await open(t);
  const [a, b, c] = ['http://10.0.0.1', 'http://10.0.0.2', 'http://10.0.0.3'] as const;
  await redis.cli('rpush', 'frontend:www.x.io', 'site', a, b, c);
  const now = Date.now();
  // Twice dead: Redis has no mark any more. And one that died once.
  await redis.cli('hset', 'trial:www.x.io', a, `2 ${now - 40_000} ${now - 10_000} ${now + 20_000} 0 -`);
  await redis.cli('hset', 'trial:www.x.io', b, `1 ${now - 31_000} ${now - 1_000} ${now - 1_000} 0 -`);
  const { route, answer } = await explain(editor, 'www.x.io', '/');
  assert.deepEqual(
    route?.backends.map(({ state, markedBy, trialInSeconds, secondsLeft }) => {
      return [state, markedBy, trialInSeconds && Math.round(trialInSeconds / 10) * 10, trialInSeconds === secondsLeft];
    }),
    [
      ['dead', 'router', 20, true],
      ['on-trial', 'router', 0, false],
      ['alive', null, null, true],
    ],
  );
  assert.equal(answer.text, 'the one of 1 living backend of 3');
});

test('routes of a file are explained in the file’s words', async (t) => {
  const path = write({ 'WWW.x.io': ['site', '10.0.0.1:80'], '*.x.io': LIST });
  const file = { scheme: 'file', path } as const;
  const editor = openEditor(file, file, { timeoutMs: 1000 });
  t.after(() => editor.close());
  const { keys, near, route, dead } = await explain(editor, 'www.x.io', '/');
  assert.deepEqual([keys[1]?.key, keys[1]?.verdict, route?.key, dead?.holds], ['*.x.io', 'used', '*.x.io', []]);
  assert.equal(route?.faults[0]?.advice, 'replace backend 2 with "http://10.0.0.3"');
  assert.deepEqual(
    near.map(({ key, faults }) => [key, faults[0]?.code, faults[0]?.advice]),
    [['WWW.x.io', 'upper-case', 'replace "WWW.x.io" with "www.x.io"']],
  );
});

test('a frontend is shown with the state of each backend', async (t) => {
  const editor = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', ...LIST);
  await redis.cli('sadd', 'dead:www.x.io', 0, 9);
  const { entries } = await editor.page({ cursor: null, limit: 10, match: '' });
  const [view] = entries.map((entry) => frontendOf(entry, editor.advice));
  assert.deepEqual(view?.backends, [
    { id: 0, url: LIST[1], state: 'dead', markedBy: 'other', secondsLeft: null, trialInSeconds: null, fault: null },
    { id: 1, url: LIST[2], state: 'alive', markedBy: null, secondsLeft: null, trialInSeconds: null, fault: null },
    {
      id: 2,
      url: LIST[3],
      state: 'unusable',
      markedBy: null,
      secondsLeft: null,
      trialInSeconds: null,
      fault: 'not a URL',
    },
  ]);
  assert.deepEqual(
    view?.faults.map(({ code }) => code),
    ['bad-url', 'dead-out-of-range', 'dead-no-expiry'],
  );
});

test('whatever stands in Redis, what is explained is what the router does', async (t) => {
  const editor = await open(t);
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

    const told = await explain(editor, 'www.x.io', '/');
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
      const traits = { method: 'GET', path: '/', clientIp: '', hasBody: false, affinity: null, cookies: [] };
      const select: Selection = (living) => ((alive = living), living[0] as Backend);
      choose(route, new Set(), { ...REST, select, loadOf: () => NO_LOAD, random: () => 0 }, traits);
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

test('the prefix that counts is told, and longer ones that name no backend', async (t) => {
  const editor = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', ...LIST);
  await redis.cli('rpush', 'frontend:www.x.io/api', 'api', 'http://10.0.0.9:80', 'http://10.0.0.8:80');
  await redis.cli('rpush', 'frontend:www.x.io/api/v2', 'bare');
  await redis.cli('sadd', 'prefixes:www.x.io', '/api', '/api/v2', '/api/v2/old', '/shop');
  await redis.cli('sadd', 'dead:www.x.io/api', 1);
  await redis.cli('hset', 'options:www.x.io/api', 'strip', '1', 'prepend', '/v3');
  await redis.cli('hset', 'options:www.x.io', 'strip', '1', 'hsts', '5');
  await redis.cli('hset', 'options:*', 'hsts', '1', 'retryAfter', '7');
  const told = await explain(editor, 'www.x.io', '/api/v2/old?a', {
    scheme: 'http',
    httpsPort: null,
    config: new Map([['pauseMax', '9']]),
  });
  assert.deepEqual(told.prefix, { key: 'prefixes:www.x.io', matched: '/api', passed: ['/api/v2/old', '/api/v2'] });
  assert.deepEqual(
    told.keys.map(({ key, verdict }) => [key, verdict]),
    [
      ['frontend:www.x.io/api/v2/old', 'absent'],
      ['frontend:www.x.io/api/v2', 'names no backend'],
      ['frontend:www.x.io/api', 'used'],
      ['frontend:www.x.io', 'not reached'],
      ['frontend:*.x.io', 'not reached'],
      ['frontend:*.io', 'not reached'],
      ['frontend:*', 'not reached'],
    ],
  );
  assert.equal(told.answer.text, 'the one of 1 living backend of 2');
  assert.deepEqual([told.route?.key, told.dead?.key, told.asks], ['www.x.io/api', 'dead:www.x.io/api', '/v3/v2/old?a']);
  assert.deepEqual(told.options.map(({ field, value, from }) => [field, value, from].join(' ')).toSorted(), [
    'hsts 5 options:www.x.io',
    'pauseMax 9 configuration',
    'prepend /v3 options:www.x.io/api',
    'retryAfter 7 options:*',
    'strip 1 options:www.x.io/api',
  ]);
  const own = await explain(editor, 'www.x.io', '/other');
  assert.deepEqual([own.prefix?.matched, own.route?.key, own.asks], [null, 'www.x.io', '/other']);
});

test('redirects, maintenance and pauses are the answer; entries that are no servers are told of', async (t) => {
  const editor = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', ...LIST);
  await redis.cli('rpush', 'frontend:old.io', 'old', 'redirect://www.x.io/ 301');
  await redis.cli('rpush', 'frontend:files.io', 'files', 'file:///srv/www');
  const told = async (fields: readonly string[], host = 'www.x.io', scheme: 'http' | 'https' = 'http') => {
    await redis.cli('del', `options:${host}`);
    if (fields.length > 0) await redis.cli('hset', `options:${host}`, ...fields);
    const { answer, asks } = await explain(editor, host, '/a?b', { scheme, httpsPort: 8443 });
    return [answer.kind, answer.status, answer.code, answer.text.split(';')[0], asks];
  };
  const backends = ['backend', null, null, 'one of 2 living backends of 3, with equal probability', '/a?b'];
  assert.deepEqual(await told(['https', 'redirect']), [
    'redirect',
    308,
    null,
    'the client is redirected to https://www.x.io:8443/a?b',
    null,
  ]);
  assert.deepEqual(await told(['https', 'redirect'], 'www.x.io', 'https'), backends);
  assert.deepEqual(await told(['canonical', 'x.io', 'redirectStatus', '302']), [
    'redirect',
    302,
    null,
    'the client is redirected to http://x.io/a?b',
    null,
  ]);
  assert.deepEqual(await told(['state', 'maintenance']), [
    'refused',
    503,
    'maintenance',
    'the site is in maintenance',
    null,
  ]);
  assert.deepEqual(await told(['state', 'paused', 'pauseMax', '5']), [
    'paused',
    null,
    null,
    'the site is paused: requests are held for at most 5 s, and then get 503 paused',
    '/a?b',
  ]);
  assert.deepEqual(await told([], 'old.io'), [
    'redirect',
    301,
    null,
    'the client is redirected to http://www.x.io/a?b',
    null,
  ]);
  const files = 'the files of /srv/www, which the router serves itself if its configuration allows it';
  assert.deepEqual(await told([], 'files.io'), ['backend', null, null, files, '/a?b']);
  assert.deepEqual((await explain(editor, 'files.io', '/')).route?.faults, []);
  await redis.cli('del', 'options:www.x.io');
  await redis.cli('hset', 'options:www.x.io', 'https', 'redirect');
  assert.match((await explain(editor, 'www.x.io', '/')).answer.text, /at the port of https\.bind/);
});

test('whatever prefixes and options there are, what is explained is what the stores do', async (t) => {
  const editor = await open(t);
  const store = new RedisStore({ read: url.redis, write: url.redis, timeoutMs: 5000, notify: () => {} });
  t.after(() => store.close());
  const random = seeded(11);
  const pick = <T>(choices: readonly [T, ...T[]]): T => pickOf(choices, random);
  const some = <T>(all: readonly T[], share: number): readonly T[] => all.filter(() => random() < share);
  const cuts = ['/a', '/a/b', '/a/b/c', '/ab', '/b', '/a/'];
  const fields: readonly (readonly [string, string])[] = [
    ['strip', '1'],
    ['strip', 'yes'],
    ['prepend', '/v'],
    ['rewrite', '^/a/(.*)$ /r/$1'],
    ['hsts', '1'],
    ['https', 'redirect'],
    ['canonical', 'y.io'],
    ['state', 'maintenance'],
    ['state', 'paused'],
    ['none', '1'],
  ];
  const headers: readonly (readonly [string, string])[] = [
    ['response:X-One', '1'],
    ['response:x-one', '2'],
    ['request:X-Two', ''],
    ['request:Host', 'z.io'],
    ['strip', '1'],
  ];
  const weights: readonly (readonly [string, string])[] = [
    ['http://10.0.0.1:80', '0'],
    ['http://10.0.0.1:80', 'many'],
    ['redirect://z.io/', 'backup'],
    ['strip', '1'],
  ];
  for (let round = 0; round < 150; round++) {
    await redis.cli('flushall');
    const memory = new MemoryStore();
    for (const key of candidates('x.io')) {
      const prefixes = random() < 0.5 ? [] : some(cuts, 0.5);
      if (prefixes.length > 0) await redis.cli('sadd', `prefixes:${key}`, ...prefixes);
      memory.setPrefixes(key, prefixes);
      for (const each of [key, ...some(cuts, 0.6).map((cut) => key + cut)]) {
        const list = pick([[], [each], [each, 'http://10.0.0.1:80'], [each, 'redirect://z.io/']]);
        if (list.length > 0) await redis.cli('rpush', `frontend:${each}`, ...list);
        memory.set(each, list);
      }
      for (const each of [key, ...cuts.map((cut) => key + cut)]) {
        const given = new Map(random() < 0.6 ? [] : some(fields, 0.15));
        if (given.size > 0) await redis.cli('hset', `options:${each}`, ...[...given].flat());
        memory.setSite('options', each, given);
        const lines = new Map(random() < 0.6 ? [] : some(headers, 0.3));
        if (lines.size > 0) await redis.cli('hset', `headers:${each}`, ...[...lines].flat());
        memory.setSite('headers', each, lines);
        const shares = new Map(random() < 0.6 ? [] : some(weights, 0.3));
        if (shares.size > 0) await redis.cli('hset', `weights:${each}`, ...[...shares].flat());
        memory.setSite('weights', each, shares);
      }
    }
    const path = pick(['/', '/a', '/a/b?c', '/a/b/c/d', '/ab', '/a//b', '/c', '*']);
    const told = await explain(editor, 'x.io', path, { scheme: 'http', httpsPort: 443 });
    for (const each of [store, memory]) {
      const route = await each.find(candidates('x.io'), path);
      assert.equal(told.route?.key ?? null, route?.key ?? null, path);
      if (route === null) {
        assert.equal(told.answer.code, 'no-frontend');
        continue;
      }
      const { site, prefix } = route;
      assert.equal(told.prefix?.matched ?? '', prefix);
      assert.deepEqual(new Map(told.options.map(({ field, value }) => [field, value])), site.fields);
      assert.ok(told.options.every(({ from }) => from !== ''));
      const visit = { scheme: 'http', authority: 'x.io', hostname: 'x.io', path, port: null } as const;
      const target = route.backends[0]?.redirect ?? null;
      const admission = site.admit(visit, 443);
      const here = target && redirectByEntry(target, prefix, visit, site.redirectStatus);
      const redirect = admission?.type === 'redirected' ? admission.redirect : admission === null ? here : null;
      if (redirect !== null) {
        assert.deepEqual(told.answer, {
          kind: 'redirect',
          status: redirect.status,
          code: null,
          text: `the client is redirected to ${redirect.location}`,
        });
      } else if (admission !== null) {
        assert.equal(told.answer.kind, admission.type === 'held' ? 'paused' : 'refused');
      } else if (route.size === 0) {
        assert.equal(told.answer.code, 'no-backend');
      } else {
        assert.equal(told.answer.kind, 'backend');
        assert.equal(told.asks, site.targetFor(path, prefix));
      }
    }
  }
});

test('a path that is too long for its pattern is refused, as by the router', async (t) => {
  const editor = await open(t);
  await redis.cli('rpush', 'frontend:www.x.io', ...LIST);
  await redis.cli('hset', 'options:www.x.io', 'rewrite', '^/(\\w{1,31})/(.*)$ /$2');
  const told = await explain(editor, 'www.x.io', `/a/${'x'.repeat(8_000)}`);
  assert.deepEqual([told.answer.status, told.answer.code, told.asks], [414, 'uri-too-long', null]);
  assert.equal((await explain(editor, 'www.x.io', `/a/b?${'x'.repeat(8_000)}`)).asks?.slice(0, 3), '/b?');
});
