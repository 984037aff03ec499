/** docs/how-to/load-balancer.md, recipe by recipe, with the addresses and ports of a test. */
// @alone: has health checks by the clock, of seven processes
// @one-lane: balancers check the admin interface and pings
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { adminOf } from '../support/admin.ts';
import { startBackend } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { recipe, startFleet } from '../support/fleet.ts';
import { noHaproxy, noNginx, startHaproxy, startNginx } from '../support/load-balancers.ts';
import { freePort } from '../support/ports.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

/** Three routers as the recipes have them, with one Redis and one site. */
async function startSite(t: TestContext) {
  const redis = await startRedis(t);
  const seen: (string | undefined)[] = [];
  const backend = await startBackend(t, (request, response) => {
    seen.push(request.headers['x-forwarded-for']?.toString());
    response.end('hello');
  });
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  return { redis, seen, ...(await startFleet(t, `redis://127.0.0.1:${redis.port}`)) };
}

/** Asks the balancer for the site for so long, ms: each answer must be the site's. */
async function assertServesFor(ms: number, port: number): Promise<void> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < ms) {
    const answer = await ask({ port });
    assert.deepEqual([answer.status, answer.body], [200, 'hello']);
  }
}

test(
  'HAProxy finds all routers up, also without Redis, and sends nothing to one that was killed',
  { skip: noHaproxy },
  async (t) => {
    const { redis, routers, withOwn, seen } = await startSite(t);
    const port = await freePort();
    const servers = await startHaproxy(t, port, withOwn(recipe('haproxy')));
    const assertAll = async (...expected: readonly string[]): Promise<void> =>
      assert.deepEqual(
        Array.from((await servers()).values(), ({ status, check }) => `${status} ${check}`),
        expected,
      );
    await eventually(() => assertAll('UP L7OK', 'UP L7OK', 'UP L7OK'));
    await assertServesFor(300, port);
    assert.equal(seen[0], '127.0.0.1, 127.0.0.1', 'the client, and the balancer');
    await redis.kill();
    await Promise.all(routers.map((router) => router.event('store-down')));
    // Longer than two checks of each.
    await assertServesFor(4_500, port);
    await eventually(() => assertAll('UP L7OK', 'UP L7OK', 'UP L7OK'));
    routers[1]?.signal('SIGKILL');
    await assertServesFor(500, port);
    await eventually(() => assertAll('UP L7OK', 'DOWN L4CON', 'UP L7OK'), 10_000);
  },
);

test('nginx goes on without a router that was killed', { skip: noNginx }, async (t) => {
  const { routers, withOwn, seen } = await startSite(t);
  const port = await freePort();
  await startNginx(t, port, withOwn(recipe('nginx')).replace('listen 80', `listen 127.0.0.1:${port}`));
  await assertServesFor(300, port);
  assert.equal(seen[0], '127.0.0.1, 127.0.0.1', 'the client, and the balancer');
  routers[0]?.signal('SIGKILL');
  await assertServesFor(1_000, port);
});

/** The status line of what a probe is answered that sends these lines. */
async function probe(port: number, ...lines: readonly string[]): Promise<string> {
  const [status = ''] = (await send(port, `${lines.join('\r\n')}\r\n\r\n`)).split('\r\n');
  return status;
}

test('the probes of Kubernetes are answered', async (t) => {
  const config = { admin: { bind: '0.0.0.0', port: await freePort(), token: 'secret' } };
  const router = await startRouter(t, { routes: {}, config });
  await adminOf(router);
  const probes = [...recipe('yaml').matchAll(/path: (\S+), port: (\d+)/g)].map(([, path = '', port]) => ({
    path,
    port,
  }));
  assert.deepEqual(probes, [
    { path: '/healthz', port: '8081' },
    { path: '/readyz', port: '8081' },
  ]);
  for (const { path } of probes) {
    // As k8s.io/kubernetes/pkg/probe/http sends it.
    const fields = ['Host: 10.244.1.7:8081', 'User-Agent: kube-probe/1.31', 'Accept: */*', 'Connection: close'];
    assert.equal(await probe(config.admin.port, `GET ${path} HTTP/1.1`, ...fields), 'HTTP/1.1 200 OK');
  }
});

test('the checks of an AWS load balancer are answered', async (t) => {
  const config = { admin: { bind: '0.0.0.0', port: await freePort(), token: 'secret' } };
  const router = await startRouter(t, { routes: {}, config });
  await adminOf(router);
  const [, path] = /--health-check-path (\S+)/.exec(recipe('console')) ?? [];
  const fields = [
    'Host: 10.0.0.1:8081',
    'Connection: close',
    'User-Agent: ELB-HealthChecker/2.0',
    'Accept-Encoding: gzip, compressed',
  ];
  assert.equal(await probe(config.admin.port, `GET ${path} HTTP/1.1`, ...fields), 'HTTP/1.1 200 OK');
});

test('a probe of HTTP/1.0 without Host, and one by a name, is answered without a token; nothing else is', async (t) => {
  const router = await startRouter(t, { routes: {}, config: { admin: { port: 0 } } });
  const admin = await adminOf(router);
  assert.ok('port' in admin);
  for (const path of ['/healthz', '/readyz', '/readyz?strict=1']) {
    assert.equal(await probe(admin.port, `GET ${path} HTTP/1.0`), 'HTTP/1.1 200 OK');
    const named = ['Host: router-1.internal.example.com:8081', 'Connection: close'];
    assert.equal(await probe(admin.port, `HEAD ${path} HTTP/1.1`, ...named), 'HTTP/1.1 200 OK');
  }
  for (const path of ['/', '/metrics', '/api/v1/workers'])
    assert.equal(await probe(admin.port, `GET ${path} HTTP/1.0`), 'HTTP/1.1 403 Forbidden');
});
