/** Frontends by way of the admin interface: to look at, to edit, and why requests go where they go. */
// @one-lane: the admin interface is a process of its own
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type AdminAddress, type AdminAnswer, adminOf, askAdmin } from '../support/admin.ts';
import type { FrontendAnswer, LiveExplanation } from '../../lib/admin/answers.ts';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { fileOwner } from '../support/file-owner.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Owner, type Router, startRouter } from '../support/router.ts';

const NOBODY = 'http://127.0.0.1:1';

interface Backend {
  readonly id: number;
  readonly url: string;
  readonly state: string;
  readonly secondsLeft: number | null;
}

interface Frontend {
  readonly key: string;
  readonly name: string;
  readonly backends: readonly Backend[];
  readonly faults: readonly { readonly code: string }[];
}

interface Explained {
  readonly host: string;
  readonly answer: {
    readonly kind: string;
    readonly status: number | null;
    readonly code: string;
    readonly text: string;
  };
  readonly keys: readonly { readonly key: string; readonly verdict: string; readonly holds: readonly string[] }[];
  readonly route: Frontend | null;
  readonly dead: { readonly holds: readonly string[]; readonly secondsLeft: number | null } | null;
  readonly near: readonly { readonly key: string; readonly faults: readonly { readonly code: string }[] }[];
  readonly workers: readonly {
    readonly knows: string;
    readonly ageSeconds: number;
    readonly backends: readonly string[];
  }[];
}

interface Scene {
  readonly router: Router;
  readonly admin: AdminAddress;
  /** The list that stands at a key, by the store itself. */
  readonly held: (key: string) => Promise<readonly string[]>;
}

type RedisScene = Scene & { readonly redis: TestRedis };

async function startOnRedis(owner: Owner, config: object = {}): Promise<RedisScene> {
  const redis = await startRedis(owner);
  const driver = `redis://127.0.0.1:${redis.port}`;
  const router = await startRouter(owner, { config: { driver, admin: { port: 0 }, ...config } });
  const held = async (key: string): Promise<readonly string[]> =>
    (await redis.cli('lrange', `frontend:${key}`, 0, -1)) as string[];
  return { redis, router, admin: await adminOf(router), held };
}

async function startOnFile(owner: Owner): Promise<Scene> {
  const router = await startRouter(owner, { routes: {}, config: { admin: { port: 0 } } });
  const path = join(router.folder, 'routes.json');
  const held = async (key: string): Promise<readonly string[]> =>
    (JSON.parse(readFileSync(path, 'utf8')) as Record<string, string[]>)[key] ?? [];
  return { router, admin: await adminOf(router), held };
}

const file = fileOwner();
let redisScene: Promise<RedisScene> | undefined;
let fileScene: Promise<Scene> | undefined;

/** What tests share that need no configuration of their own. Nothing is left of the test before. */
async function onRedis(): Promise<RedisScene> {
  const scene = await (redisScene ??= startOnRedis(file));
  await scene.redis.cli('flushall');
  scene.router.forget();
  return scene;
}

/** The same with a routes file. */
async function onFile(): Promise<Scene> {
  const scene = await (fileScene ??= startOnFile(file));
  const { frontends } = (await askAdmin(scene.admin, '/api/v1/frontends')).json as { readonly frontends: Frontend[] };
  for (const { key } of frontends) {
    const { status } = await askAdmin(scene.admin, `/api/v1/frontends/${encodeURIComponent(key)}`, {
      method: 'DELETE',
    });
    assert.equal(status, 204);
  }
  scene.router.forget();
  return scene;
}

function put(admin: AdminAddress, host: string, body: unknown): Promise<AdminAnswer> {
  return askAdmin(admin, `/api/v1/frontends/${encodeURIComponent(host)}`, { method: 'PUT', body });
}

async function explained(admin: AdminAddress, host: string): Promise<Explained> {
  const { status, json, text } = await askAdmin(admin, `/api/v1/frontends/${encodeURIComponent(host)}/explain?path=/`);
  assert.equal(status, 200, text);
  return json as Explained;
}

for (const [store, open] of [
  ['Redis', onRedis],
  ['a file', onFile],
] as const) {
  test(`in ${store} a frontend is created, looked at, served, changed and removed`, async (t) => {
    const { router, admin, held } = await open();
    const [one, two] = [await startBackend(t, says('one')), await startBackend(t, says('two'))];
    const served = async (text: string): Promise<void> => {
      assert.equal((await ask({ port: router.port, host: 'a.test' })).body, text);
    };
    const created = await put(admin, 'A.test', { name: 'site', backends: [one.url] });
    assert.equal(created.status, 201);
    const view = {
      id: 0,
      url: one.url,
      state: 'alive',
      secondsLeft: null,
      trialInSeconds: null,
      markedBy: null,
      fault: null,
    };
    const { etag: _tag, ...made } = created.json as FrontendAnswer;
    assert.deepEqual(made, { key: 'a.test', name: 'site', backends: [view], faults: [] });
    assert.deepEqual(await held('a.test'), ['site', one.url]);
    await eventually(() => served('one'));
    const replaced = await put(admin, 'a.test', ['site', two.url]);
    assert.equal(replaced.status, 200);
    await eventually(() => served('two'));
    const answered = (await askAdmin(admin, '/api/v1/frontends/a.test')).json as FrontendAnswer;
    const { activity: _activity, traffic: _traffic, ...read } = answered;
    assert.deepEqual(read, replaced.json);
    const { etag: _etag, ...listed } = read;
    const all = { frontends: [listed], next: null, total: 1 };
    assert.deepEqual((await askAdmin(admin, '/api/v1/frontends')).json, all);
    const gone = await askAdmin(admin, '/api/v1/frontends/a.test', { method: 'DELETE' });
    assert.deepEqual([gone.status, gone.text], [204, '']);
    assert.equal((await askAdmin(admin, '/api/v1/frontends/a.test', { method: 'DELETE' })).status, 404);
    assert.equal((await askAdmin(admin, '/api/v1/frontends/a.test')).status, 404);
    assert.deepEqual(await held('a.test'), []);
  });

  test(`in ${store} a frontend with a path has routes and options of its own`, async (t) => {
    const { router, admin, held } = await open();
    const [site, api] = [await startBackend(t, says('site')), await startBackend(t, says('api'))];
    const at = '/api/v1/frontends/a.test%2Fapi';
    const patch = (body: unknown): Promise<AdminAnswer> => askAdmin(admin, `${at}/options`, { method: 'PATCH', body });
    await put(admin, 'a.test', ['site', site.url]);
    assert.equal((await put(admin, 'A.test/api', ['api', api.url])).status, 201);
    assert.deepEqual(await held('a.test/api'), ['api', api.url]);
    await eventually(async () => {
      assert.equal((await ask({ port: router.port, host: 'a.test', path: '/api/x' })).body, 'api');
      assert.equal((await ask({ port: router.port, host: 'a.test', path: '/apix' })).body, 'site');
    });
    assert.equal(((await askAdmin(admin, at)).json as Frontend).key, 'a.test/api');
    assert.deepEqual((await askAdmin(admin, `${at}/options`)).json, {});
    const { status, json } = await patch({ strip: true, hsts: 5, prepend: '/v1' });
    assert.deepEqual([status, json], [200, { strip: 'true', hsts: '5', prepend: '/v1' }]);
    assert.deepEqual((await patch({ prepend: null, none: null })).json, { strip: 'true', hsts: '5' });
    assert.deepEqual((await askAdmin(admin, `${at}/options`)).json, { strip: 'true', hsts: '5' });
    for (const [body, message] of [
      [{ strip: '0', hts: '1' }, /"hts": there is no such option/],
      [{ state: 'off' }, /"state": it is "live", "maintenance" or "paused"/],
      [{ strip: ['1'] }, /"strip": it must be a text/],
      [['strip'], /send \{"strip"/],
    ] as const) {
      const refused = await patch(body);
      const { error } = refused.json as { readonly error: { readonly code: string; readonly message: string } };
      assert.deepEqual([refused.status, error.code], [400, 'bad-option']);
      assert.match(error.message, message);
    }
    const bad = await askAdmin(admin, '/api/v1/frontends/a.test%2Fapi%2F/options', { method: 'PATCH', body: {} });
    assert.equal(bad.status, 400);
    const told = (await askAdmin(admin, `${at}/explain`)).json as LiveExplanation;
    assert.deepEqual(
      [told.host, told.path, told.asks, told.prefix?.matched, told.route?.key],
      ['a.test', '/api', '/', '/api', 'a.test/api'],
    );
    assert.deepEqual(told.options, [
      { field: 'strip', value: 'true', from: 'options:a.test/api' },
      { field: 'hsts', value: '5', from: 'options:a.test/api' },
    ]);
    const lines = (body: unknown): Promise<AdminAnswer> => askAdmin(admin, `${at}/headers`, { method: 'PATCH', body });
    assert.deepEqual((await askAdmin(admin, `${at}/headers`)).json, {});
    const set = await lines({ 'response:X-A': 'b', 'response:X-B': '', 'request:X-C': 1 });
    assert.deepEqual([set.status, set.json], [200, { 'response:X-A': 'b', 'response:X-B': '', 'request:X-C': '1' }]);
    assert.deepEqual((await lines({ 'request:X-C': null })).json, { 'response:X-A': 'b', 'response:X-B': '' });
    await eventually(async () => {
      const { headers } = await ask({ port: router.port, host: 'a.test', path: '/api/x' });
      assert.equal(headers['x-a'], 'b');
    });
    const wrong = await lines({ 'response:Connection': 'close', 'response:X-A': 'c' });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /"bad-header".*response:Connection/);
    const known = ((await askAdmin(admin, `${at}/explain`)).json as LiveExplanation).options;
    assert.deepEqual(known.slice(2), [
      { field: 'response:X-A', value: 'b', from: 'headers:a.test/api' },
      { field: 'response:X-B', value: '', from: 'headers:a.test/api' },
    ]);
    const checks = (body: unknown): Promise<AdminAnswer> => askAdmin(admin, `${at}/checks`, { method: 'PATCH', body });
    assert.deepEqual((await askAdmin(admin, `${at}/checks`)).json, {});
    const checked = await checks({ path: '/health', interval: 300 });
    assert.deepEqual([checked.status, checked.json], [200, { path: '/health', interval: '300' }]);
    const unknown = await checks({ intervall: 5, path: null });
    assert.equal(unknown.status, 400);
    assert.match(unknown.text, /"bad-check".*intervall/);
    assert.deepEqual((await checks({ path: null, interval: null })).json, {});
    assert.equal((await askAdmin(admin, at, { method: 'DELETE' })).status, 204);
    await eventually(async () => {
      assert.equal((await ask({ port: router.port, host: 'a.test', path: '/api/x' })).body, 'site');
    });
  });

  test(`in ${store} dead backends are shown with their time left, and explained`, async (t) => {
    const { router, admin } = await open();
    const good = await startBackend(t, says('good'));
    await put(admin, 'a.test', ['site', NOBODY, good.url]);
    await eventually(async () => {
      await ask({ port: router.port, host: 'a.test' });
      assert.ok(router.log.some(({ event }) => event === 'backend-dead'));
    });
    const { backends } = await eventually(async () => {
      const frontend = (await askAdmin(admin, '/api/v1/frontends/a.test')).json as Frontend;
      assert.deepEqual(
        frontend.backends.map(({ state }) => state),
        ['dead', 'alive'],
      );
      return frontend;
    });
    const left = backends[0]?.secondsLeft ?? 0;
    assert.ok(left > 20 && left <= 30, String(left));
    const { answer, route, dead } = await explained(admin, 'a.test');
    assert.deepEqual([answer.kind, answer.text], ['backend', 'the one of 1 living backend of 2']);
    assert.deepEqual(dead?.holds, ['0']);
    assert.equal(route?.backends[0]?.state, 'dead');
    const { frontends } = (await askAdmin(admin, '/api/v1/frontends')).json as { readonly frontends: Frontend[] };
    assert.equal(frontends[0]?.backends[0]?.state, 'dead');
  });

  test(`in ${store} what could not be meant is not written`, async () => {
    const { admin, held } = await open();
    for (const [host, body, code] of [
      ['a.test', ['http://10.0.0.1', 'http://10.0.0.2'], 'no-identifier'],
      ['a.test', ['site', 'htps://10.0.0.1'], 'bad-scheme'],
      ['a.test', ['site', '10.0.0.1:8080'], 'no-scheme'],
      ['a.test', ['site', 'http://10.0.0.1 http://10.0.0.2'], 'two-urls'],
      ['a.test', [], 'bad-list'],
      ['a.test', { name: 'site' }, 'bad-list'],
      ['a.test', { name: 'site', backends: [], more: 1 }, 'bad-list'],
      ['a.test', ['site', 7], 'bad-list'],
      ['a.test', 'no JSON', 'not-json'],
      ['http://a.test', ['site'], 'key-scheme'],
      ['a b', ['site'], 'bad-key'],
      ['*a.test', ['site'], 'star-without-dot'],
    ] as const) {
      const { status, json } = await put(admin, host, body);
      const { error } = json as { readonly error: { readonly code: string; readonly message: string } };
      assert.deepEqual([status, error.code], [400, code], `${host} ${JSON.stringify(body)}: ${error.message}`);
    }
    assert.deepEqual(await held('a.test'), []);
  });
}

test('an explanation names every key in its order, and what each worker remembers', async (t) => {
  const { redis, router, admin } = await startOnRedis(t, { cache: { mode: 'push' } });
  await redis.cli('rpush', 'frontend:*.example.test', 'wild', NOBODY);
  await eventually(async () => {
    await ask({ port: router.port, host: 'www.example.test' });
    const [worker] = (await explained(admin, 'www.example.test')).workers;
    assert.equal(worker?.knows, 'fresh');
  });
  const { host, keys, route, workers } = await explained(admin, 'WWW.Example.test:80');
  assert.equal(host, 'www.example.test');
  assert.deepEqual(
    keys.map(({ key, verdict }) => [key, verdict]),
    [
      ['frontend:www.example.test', 'absent'],
      ['frontend:*.example.test', 'used'],
      ['frontend:*.test', 'not reached'],
      ['frontend:*', 'not reached'],
    ],
  );
  assert.equal(route?.name, 'wild');
  assert.deepEqual(workers[0]?.backends, [NOBODY]);
  assert.ok((workers[0]?.ageSeconds ?? -1) >= 0);
});

test('a key that was misspelt is named with what would mend it', async () => {
  const { redis, admin } = await onRedis();
  await redis.cli('rpush', 'frontend:WWW.example.test', 'site', NOBODY);
  const { answer, near } = await explained(admin, 'www.example.test');
  assert.deepEqual([answer.kind, answer.status, answer.code], ['refused', 400, 'no-frontend']);
  assert.deepEqual(
    near.map(({ key, faults }) => [key, faults[0]?.code]),
    [['frontend:WWW.example.test', 'upper-case']],
  );
});

test('while Redis is silent, an explanation tells what the workers know', async (t) => {
  const { redis, router, admin } = await startOnRedis(t);
  const backend = await startBackend(t, says('hello'));
  await redis.cli('rpush', 'frontend:a.test', 'site', backend.url);
  await ask({ port: router.port, host: 'a.test' });
  await redis.kill();
  await router.event('store-down');
  assert.equal((await ask({ port: router.port, host: 'a.test' })).body, 'hello');
  const { answer, keys, workers } = await explained(admin, 'a.test');
  assert.equal(answer.kind, 'backend');
  assert.match(answer.text, /^1 living backend of 1: 1 of 1 workers remember a\.test .*\(Redis does not serve: /);
  assert.deepEqual(
    keys.map(({ key, verdict }) => [key, verdict]),
    [
      ['frontend:a.test', 'not read'],
      ['frontend:*.test', 'not read'],
      ['frontend:*', 'not read'],
    ],
  );
  assert.equal(workers[0]?.knows, 'stale');
  const stranger = await explained(admin, 'b.test');
  assert.deepEqual([stranger.answer.kind, stranger.answer.status], ['refused', 503]);
  assert.match(stranger.answer.text, /^no worker remembers a route, and the store cannot be read/);
  const { status, json } = await askAdmin(admin, '/api/v1/frontends');
  assert.equal(status, 503);
  assert.match(JSON.stringify(json), /store-unavailable/);
});

test('many frontends come a page at a time, each at least once', async () => {
  const { redis, admin } = await onRedis();
  const keys = Array.from({ length: 250 }, (_, i) => `site-${i}.test`);
  for (const key of keys) await redis.cli('rpush', `frontend:${key}`, key, NOBODY);
  const seen = new Set<string>();
  let pages = 0;
  for (let next: string | null = ''; next !== null; pages++) {
    const cursor = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`;
    const { json } = await askAdmin(admin, `/api/v1/frontends?limit=60${cursor}`);
    const page = json as { readonly frontends: Frontend[]; readonly next: string | null };
    for (const { key } of page.frontends) seen.add(key);
    ({ next } = page);
  }
  assert.deepEqual([...seen].toSorted(), keys.toSorted());
  assert.ok(pages >= 4, `${pages} pages`);
  const { json } = await askAdmin(admin, '/api/v1/frontends?match=site-24&limit=1000');
  assert.equal((json as { readonly frontends: Frontend[] }).frontends.length, 11);
  for (const limit of ['0', '1001', 'x', '-1', '1.5'])
    assert.equal((await askAdmin(admin, `/api/v1/frontends?limit=${limit}`)).status, 400, limit);
  assert.equal((await askAdmin(admin, '/api/v1/frontends?cursor=nonsense')).status, 400);
});

test('a key of a wrong type is not overwritten, unless that is asked for', async () => {
  const { redis, admin, held } = await onRedis();
  await redis.cli('set', 'frontend:a.test', 'oops');
  const { json } = await askAdmin(admin, '/api/v1/frontends/a.test');
  assert.equal((json as Frontend).faults[0]?.code, 'wrong-type');
  assert.equal((await put(admin, 'a.test', ['site', NOBODY])).status, 409);
  const forced = { method: 'PUT', body: ['site', NOBODY] };
  assert.equal((await askAdmin(admin, '/api/v1/frontends/a.test?force', forced)).status, 200);
  assert.deepEqual(await held('a.test'), ['site', NOBODY]);
});

test('an edit clears the marks of places that changed, and keeps the others', async () => {
  const { redis, admin } = await onRedis();
  await put(admin, 'a.test', ['site', 'http://10.0.0.1:1', 'http://10.0.0.2:1', 'http://10.0.0.3:1']);
  await redis.cli('sadd', 'dead:a.test', 0, 1, 2);
  await put(admin, 'a.test', ['site', 'http://10.0.0.1:1', 'http://10.0.0.3:1']);
  assert.deepEqual(await redis.cli('smembers', 'dead:a.test'), ['0']);
});

test('redirects are explained as the router sends them: by the client’s scheme, and the configuration’s options', async (t) => {
  const { redis, router, admin } = await startOnRedis(t, { options: { canonical: 'www.a.test' } });
  await redis.cli('rpush', 'frontend:*.a.test', 'site', NOBODY);
  await redis.cli('rpush', 'frontend:old.test', 'old', 'redirect://www.a.test/x 301');
  for (const host of ['b.a.test', 'old.test']) {
    const { status, headers } = await ask({ port: router.port, host, path: '/y?z' });
    const at = `/api/v1/frontends/${host}/explain?path=${encodeURIComponent('/y?z')}`;
    const { answer } = (await askAdmin(admin, at)).json as LiveExplanation;
    assert.deepEqual(
      [answer.kind, answer.status, answer.text],
      ['redirect', status, `the client is redirected to ${headers['location']}`],
    );
    const secure = ((await askAdmin(admin, `${at}&scheme=https`)).json as LiveExplanation).answer;
    assert.match(secure.text, /redirected to https:\/\/www\.a\.test\//);
  }
  assert.equal((await askAdmin(admin, '/api/v1/frontends/b.a.test/explain?scheme=ftp')).status, 400);
});
