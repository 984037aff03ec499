/** All frontends in one line each, and what is wrong, by way of the admin interface. */
// @one-lane: the admin interface is a process of its own
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrontendAnswer, SummaryAnswer } from '../../lib/admin/answers.ts';
import { type AdminAddress, adminOf, askAdmin } from '../support/admin.ts';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

async function summary(admin: AdminAddress, query = ''): Promise<SummaryAnswer> {
  const { status, json, text } = await askAdmin(admin, `/api/v1/summary${query}`);
  assert.equal(status, 200, text);
  return json as SummaryAnswer;
}

test('the summary has the traffic and the state of each frontend, and problems first', async (t) => {
  const redis = await startRedis(t);
  const good = await startBackend(t, says('good'));
  const failing = await startBackend(t, says('failing', 503, { 'Retry-After': '1' }));
  await redis.cli('rpush', 'frontend:good.test', 'good', good.url);
  await redis.cli('rpush', 'frontend:failing.test', 'failing', failing.url);
  await redis.cli('rpush', 'frontend:bad.test', 'bad', 'nothing', good.url);
  await redis.cli('rpush', 'frontend:dead.test', 'dead', good.url, failing.url);
  await redis.cli('sadd', 'dead:dead.test', 0, 1);
  await redis.cli('hset', 'options:good.test', 'hts', '1');
  const driver = `redis://127.0.0.1:${redis.port}`;
  const router = await startRouter(t, { config: { driver, admin: { port: 0 } } });
  const admin = await adminOf(router);
  for (const host of ['good.test', 'failing.test', 'good.test']) await ask({ port: router.port, host });

  await eventually(async () => {
    const { frontends, counts, isComplete, found } = await summary(admin);
    assert.equal(isComplete, true);
    assert.equal(found, 4);
    assert.deepEqual(
      frontends.map(({ key, state }) => [key, state]),
      [
        ['dead.test', 'down'],
        ['failing.test', 'failing'],
        ['bad.test', 'degraded'],
        ['good.test', 'good'],
      ],
    );
    assert.deepEqual(counts, { frontends: 4, down: 1, failing: 1, degraded: 1, faulty: 0, backends: 6, dead: 2 });
    const [busy] = (await summary(admin, '?sort=traffic&limit=1')).frontends;
    assert.ok(busy?.key === 'good.test' && (busy.requestsPerSecond ?? 0) > 0 && busy.p99 !== null);
  });
  await eventually(async () => {
    const { problems } = await summary(admin);
    const kinds = problems.map(({ kind, frontend }) => [kind, frontend]);
    assert.deepEqual(kinds.slice(0, 3), [
      ['all-dead', 'dead.test'],
      ['errors', 'failing.test'],
      ['fault', 'bad.test'],
    ]);
    // Found by what hipache lint reads besides the lists.
    const texts = problems.filter(({ frontend }) => frontend === null).map(({ text }) => text);
    assert.ok(
      texts.some((text) => text.startsWith('options:good.test: option-unknown')),
      texts.join('\n'),
    );
  });
  const page = await summary(admin, '?sort=key&from=1&limit=2&match=d.test');
  assert.equal(page.found, 3);
  assert.deepEqual(
    page.frontends.map(({ key }) => key),
    ['dead.test', 'good.test'],
  );
  assert.deepEqual(
    (await summary(admin, '?state=down')).frontends.map(({ key }) => key),
    ['dead.test'],
  );
  const { traffic } = (await askAdmin(admin, '/api/v1/frontends/good.test')).json as FrontendAnswer;
  assert.equal(
    traffic?.requests.reduce((all, count) => all + count, 0),
    2,
  );
  for (const query of ['?sort=x', '?state=x', '?limit=0', '?limit=2001', '?from=-1', '?limit=x']) {
    assert.equal((await askAdmin(admin, `/api/v1/summary${query}`)).status, 400, query);
  }

  await askAdmin(admin, '/api/v1/frontends/new.test', { method: 'PUT', body: ['new', good.url] });
  assert.equal((await summary(admin, '?match=new.test')).found, 1, 'an edit is seen at once');
  await redis.stop();
  await eventually(async () => {
    const { frontends, problems, isComplete } = await summary(admin);
    assert.deepEqual([frontends.length, isComplete, problems[0]?.kind], [0, false, 'unread']);
  });
});
