/** Each field of `options:<key>`, in both lanes: backends and clients see the same of it. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FIELD_NAMES } from '../../lib/sites/site.ts';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { type Router, startRouter } from '../support/router.ts';

/** Fields that change something, at least one row for each field. */
const SITES: readonly Readonly<Record<string, string>>[] = [
  { https: 'redirect' },
  { https: 'redirect 301', httpsPort: '8443' },
  { https: 'both' },
  { canonical: 'elsewhere.test' },
  { canonical: 'elsewhere.test', redirectStatus: '302' },
  { state: 'maintenance', retryAfter: '7' },
  { state: 'paused', pauseMax: '1' },
  { state: 'live' },
  { rate: '1000', rateBy: 'host' },
  { rate: '60000/m 100', rateBy: 'cookie:a' },
  { maxConn: '1000', maxConnPerBackend: '1000', queue: '10 1' },
  {
    'timeouts.connect': '5',
    'timeouts.firstByte': '5.5',
    'timeouts.response': '5',
    'timeouts.body': '5',
    'timeouts.tunnel': '5',
    'limits.bodyBytes': '1000',
    'limits.headerBytes': '1000',
  },
  { 'limits.headerBytes': '20' },
  { buffer: 'request' },
  { buffer: 'both 1000' },
  { strip: '1' },
  { prepend: '/v2' },
  { rewrite: '^/api/(.*)$ /letters/$1' },
  { strip: '1', prepend: '/v2', mapBack: '1' },
  { deadOn5xx: 'never' },
  { deadOn5xx: 'agreed' },
  { eject: '5xx:50% 10s' },
  { hsts: '60' },
  { bandwidth: '64000' },
  { bandwidth: '64000 x-traffic', bandwidthSite: '1000000' },
  { balance: 'roundrobin' },
  { balance: 'hash:cookie:a' },
  { slowStart: '30' },
  { sticky: 'home' },
  { sticky: 'home 60' },
];

const hostOf = (i: number): string => `s${i}.test`;

async function startLanes(t: TestContext): Promise<readonly Router[]> {
  const backend = await startBackend(t, (request, response) => {
    request.resume();
    response.setHeader('X-Asked', `${request.method} ${request.url}`);
    response.setHeader('X-Traffic', '1000000');
    response.setHeader('Location', '/v2/there');
    response.setHeader('Set-Cookie', 'a=b; Path=/v2');
    response.setHeader('Strict-Transport-Security', 'max-age=1');
    response.end('hello');
  });
  const routes = Object.fromEntries(
    SITES.flatMap((fields, i) => [
      [hostOf(i), ['site', backend.url]],
      [`${hostOf(i)}/api`, ['api', backend.url]],
      [`options:${hostOf(i)}`, fields],
      [`options:${hostOf(i)}/api`, fields],
    ]),
  );
  const start = (fastLane: boolean) =>
    startRouter(t, { routes, server: { workers: 1, fastLane, stickySecret: 'x'.repeat(32) } });
  return await Promise.all([start(true), start(false)]);
}

async function seen(router: Router, i: number, path: string, headers: Record<string, string>): Promise<object> {
  const { status, headers: got, body } = await ask({ port: router.port, host: hostOf(i), path, headers });
  const { date: _date, ...others } = got;
  return { status, others, body };
}

test('each field of a site means the same in both lanes', async (t) => {
  const lanes = await startLanes(t);
  assert.deepEqual(
    new Set(SITES.flatMap((fields) => Object.keys(fields))),
    new Set(FIELD_NAMES),
    'a row for each field',
  );
  const cases = SITES.flatMap((_, i) =>
    ['/', '/api/a?b=c'].flatMap((path) =>
      [{}, { 'x-forwarded-proto': 'https' }].map((headers) => ({ i, path, headers })),
    ),
  );
  await Promise.all(
    cases.map(async ({ i, path, headers }) => {
      const [fast, full] = await Promise.all(lanes.map((router) => seen(router, i, path, headers)));
      assert.deepEqual(fast, full, `${JSON.stringify(SITES[i])} ${path} ${JSON.stringify(headers)}`);
    }),
  );
});
