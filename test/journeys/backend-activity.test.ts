/** What the admin API tells of backends, of all workers together. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BackendActivity, FrontendAnswer, LiveExplanation } from '../../lib/admin/answers.ts';
import { adminOf, askAdmin, metric } from '../support/admin.ts';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

test('requests, connections and failures of all workers are added up for each backend', async (t) => {
  const good = await startBackend(t, says('good'));
  const refusing = refusingUrl();
  const router = await startRouter(t, {
    routes: {
      'a.test': ['site', good.url, refusing, 'redirect://b.test/', 'nothing'],
      'unknown.test': ['site', 'http://192.0.2.1:1'],
    },
    server: { workers: 2 },
    config: { admin: join(temporaryFolder(t), 'admin.sock') },
  });
  const admin = await adminOf(router);
  // Each on a connection of its own: the workers share them.
  const got = (): Promise<unknown> => ask({ port: router.port, host: 'a.test', headers: { Connection: 'close' } });
  let wanted: BackendActivity | undefined;
  await eventually(async () => {
    await Promise.all(Array.from({ length: 10 }, got));
    const { status, json } = await askAdmin(admin, '/api/v1/frontends/a.test');
    assert.equal(status, 200);
    const { activity, backends } = json as FrontendAnswer;
    assert.deepEqual([activity.workers, activity.replied], [2, 2]);
    assert.deepEqual(
      activity.backends.map(({ id }) => id),
      [0, 1],
      'a redirect and an entry that cannot be used have no record',
    );
    const [first, second] = activity.backends;
    assert.ok(first && second);
    assert.ok(first.responses['2xx'] >= 10);
    assert.ok(first.requestsPerSecond > 0);
    assert.equal(first.errorsPerSecond, 0);
    assert.ok(first.p50 !== null && first.p99 !== null && first.p50 <= first.p99);
    assert.deepEqual(first.failures, []);
    assert.equal(second.p50, null);
    assert.ok(second.requestsPerSecond > 0 && second.requestsPerSecond === second.errorsPerSecond);
    assert.ok(second.failures.length > 0 && second.failures.length <= 10);
    // The worker that found it dead says so, and for how long.
    assert.equal(backends[1]?.state, 'dead');
    assert.equal(backends[1]?.markedBy, 'router');
    wanted = second;
  });
  assert.ok(wanted);
  const [failure] = wanted.failures;
  assert.equal(failure?.type, 'unreachable');
  assert.equal(failure?.code, 'ECONNREFUSED');
  assert.match(failure?.reason ?? '', /ECONNREFUSED/);
  assert.ok(Math.abs(Date.parse(failure?.time ?? '') - Date.now()) < 60_000);

  const explained = (await askAdmin(admin, '/api/v1/frontends/a.test/explain')).json as LiveExplanation;
  assert.deepEqual(explained.activity?.backends[1]?.failures[0]?.code, 'ECONNREFUSED');
  const none = (await askAdmin(admin, '/api/v1/frontends/none.test/explain')).json as LiveExplanation;
  assert.equal(none.activity, null);
  const unknown = (await askAdmin(admin, '/api/v1/frontends/unknown.test')).json as FrontendAnswer;
  assert.deepEqual(unknown.activity.backends[0], {
    id: 0,
    inFlight: 0,
    waiting: 0,
    open: 0,
    idle: 0,
    requestsPerSecond: 0,
    errorsPerSecond: 0,
    p50: null,
    p99: null,
    responses: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
    failures: [],
  });
});

test('with metrics.backends, /metrics has backends of their own', async (t) => {
  const good = await startBackend(t, says('good'));
  const refusing = refusingUrl();
  const router = await startRouter(t, {
    routes: { 'a.test': ['site', good.url], 'b.test': ['other', refusing] },
    config: { admin: join(temporaryFolder(t), 'admin.sock'), metrics: { backends: 2 } },
  });
  const admin = await adminOf(router);
  for (const host of ['a.test', 'a.test', 'b.test']) await ask({ port: router.port, host });
  await eventually(async () => {
    assert.equal(await metric(admin, `hipache_backend_responses_total{backend="${good.url}",class="2xx"}`), 2);
    assert.equal(await metric(admin, `hipache_backend_failures_total{backend="${refusing}"}`), 1);
    assert.ok((await metric(admin, `hipache_backend_response_seconds{backend="${good.url}",percentile="99"}`)) > 0);
  });
});
