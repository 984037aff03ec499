/** Edits by way of the admin interface that depend on what is there; single backends; dead marks. */
// @one-lane: the admin interface is a process of its own
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrontendsAnswer } from '../../lib/admin/answers.ts';
import { adminOf, type AdminAnswer, askAdmin, type AdminAsk } from '../support/admin.ts';
import { hipache } from '../support/command.ts';
import { fileOwner } from '../support/file-owner.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

const owner = fileOwner();
const redis = await startRedis(owner);
const driver = `redis://127.0.0.1:${redis.port}`;
const router = await startRouter(owner, { config: { driver, admin: { port: 0 } } });
const admin = await adminOf(router);
const A = 'http://10.0.0.1:80';
const B = 'http://10.0.0.2:80';

const request = (method: string, path: string, more: AdminAsk = {}): Promise<AdminAnswer> =>
  askAdmin(admin, `/api/v1/frontends/${path}`, { method, ...more });
const put = (host: string, urls: readonly string[], headers: Readonly<Record<string, string>> = {}) =>
  request('PUT', host, { headers, body: { name: 'site', backends: urls } });
const tagOf = async (path: string): Promise<string> => String((await request('GET', path)).headers['etag']);
const totalOf = async (query: string) =>
  ((await askAdmin(admin, `/api/v1/frontends?${query}`)).json as FrontendsAnswer).total;
const held = (host: string): Promise<unknown> => redis.cli('lrange', `frontend:${host}`, 0, -1);

function is({ status, json, text }: AdminAnswer, wanted: number, code?: string): void {
  assert.equal(status, wanted, text);
  if (code !== undefined) assert.equal((json as { error: { code: string } }).error.code, code);
}

test('of many concurrent PUTs with the same entity tag, exactly one is made', async () => {
  for (const urls of [(i: number) => [A, `http://h${i}`], () => [B]]) {
    await put('many.io', [A]);
    const tag = await tagOf('many.io');
    const all = await Promise.all(Array.from({ length: 10 }, (_, i) => put('many.io', urls(i), { 'If-Match': tag })));
    const [made, ...others] = all.toSorted((a, b) => a.status - b.status);
    assert.ok(made !== undefined);
    is(made, 200);
    for (const each of others) is(each, 412, 'changed');
    const { backends } = made.json as { backends: { url: string }[] };
    assert.deepEqual(await held('many.io'), ['site', ...backends.map(({ url }) => url)]);
  }
});

test('an entity tag is of the list and of what belongs to it, and not of dead marks', async () => {
  await put('tag.io', [A, B]);
  const first = await tagOf('tag.io');
  await redis.cli('sadd', 'dead:tag.io', 0);
  assert.equal(await tagOf('tag.io'), first);
  assert.equal(await tagOf('tag.io/options'), first);
  const patched = await request('PATCH', 'tag.io/options', { headers: { 'If-Match': first }, body: { strip: 1 } });
  is(patched, 200);
  const second = await tagOf('tag.io');
  assert.equal(patched.headers['etag'], second);
  assert.notEqual(second, first);
  const stale = { headers: { 'If-Match': first } };
  is(await request('PATCH', 'tag.io/weights', { ...stale, body: { [A]: 10 } }), 412, 'changed');
  is(await request('POST', 'tag.io/backends', { ...stale, body: { url: 'http://10.0.0.3' } }), 412, 'changed');
  is(await request('DELETE', `tag.io/backends?url=${A}`, stale), 412, 'changed');
  const refused = await request('DELETE', 'tag.io', stale);
  is(refused, 412, 'changed');
  assert.equal(refused.headers['etag'], second);
  assert.deepEqual(await held('tag.io'), ['site', A, B]);
  assert.equal(await redis.cli('exists', 'weights:tag.io'), 0);
  is(await request('DELETE', 'tag.io', { headers: { 'If-Match': second } }), 204);
  assert.deepEqual(await held('tag.io'), []);
});

test('the history says that a change was made by way of the admin interface', async () => {
  await put('log.io', [A]);
  const log = await redis.cli('xrevrange', 'routes:log', '+', '-', 'count', 1);
  assert.match(JSON.stringify(log), /"log\.io","by","api@/);
});

test('If-None-Match: * creates, and never replaces', async () => {
  is(await put('new.io', [A], { 'If-None-Match': '*' }), 201);
  is(await put('new.io', [B], { 'If-None-Match': '*' }), 412, 'changed');
  assert.deepEqual(await held('new.io'), ['site', A]);
  is(await put('gone.io', [A], { 'If-Match': '*' }), 412, 'changed');
  is(await put('gone.io', [A], { 'If-Match': 'x' }), 400, 'bad-condition');
  assert.deepEqual(await held('gone.io'), []);
});

test('one backend is added and removed', async () => {
  is(await request('POST', 'one.io/backends', { body: { url: A } }), 404, 'no-frontend');
  is(await request('POST', 'one.io/backends', { body: { url: A, name: 'site' } }), 201);
  is(await request('POST', 'one.io/backends', { body: { url: B } }), 201);
  is(await request('POST', 'one.io/backends', { body: { url: B } }), 200);
  is(await request('POST', 'one.io/backends', { body: { url: 'x' } }), 400);
  assert.deepEqual(await held('one.io'), ['site', A, B]);
  is(await request('DELETE', `one.io/backends?url=${A}`), 200);
  is(await request('DELETE', `one.io/backends?url=${A}`), 404, 'no-backend');
  is(await request('DELETE', 'one.io/backends'), 400);
  is(await request('DELETE', `one.io/backends?url=${B}`), 409, 'last-backend');
  is(await request('DELETE', `one.io/backends?force&url=${B}`), 200);
  assert.deepEqual(await held('one.io'), ['site']);
});

test('dead marks are cleared, all of a host or those of one backend, also under a wildcard', async () => {
  await put('%2A.dead.io', [A, B]);
  const mark = async (): Promise<void> => {
    await redis.cli('sadd', 'dead:www.dead.io', 0, 1);
    await redis.cli('hset', 'marks:www.dead.io', 0, A, 1, B);
  };
  await mark();
  is(await request('DELETE', `www.dead.io/dead?url=${B}`), 204);
  assert.deepEqual(await redis.cli('smembers', 'dead:www.dead.io'), ['0']);
  assert.deepEqual(await redis.cli('hgetall', 'marks:www.dead.io'), { 0: A });
  is(await request('DELETE', 'www.dead.io/dead'), 204);
  assert.deepEqual(await redis.cli('keys', '*www.dead.io'), []);
  await mark();
  const one = await hipache(['dead', 'clear', 'www.dead.io', A, '--driver', driver]);
  assert.equal(one.stdout, `www.dead.io: 1 dead mark removed, in ${driver}/0\n`);
  const all = await hipache(['dead', 'clear', 'www.dead.io', '--driver', driver, '--json']);
  assert.deepEqual(JSON.parse(all.stdout), { key: 'www.dead.io', cleared: 1, store: `${driver}/0` });
  const none = await hipache(['dead', 'clear', 'www.dead.io', 'http://c', '--driver', driver]);
  assert.deepEqual([none.status, none.stderr], [1, 'hipache: www.dead.io has no backend http://c\n']);
  assert.equal((await hipache(['dead'])).status, 2);
});

test('a list of frontends says how many there are', async () => {
  await redis.cli('flushall');
  for (const host of ['a.io', 'b.io', 'c.com']) await put(host, [A]);
  assert.equal(await totalOf(''), 3);
  assert.equal(await totalOf('match=.io'), 2);
  assert.equal(await totalOf('limit=1&match=.io'), 2);
});
