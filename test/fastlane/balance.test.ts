/** Sites with a balance of their own are served by the fast lane. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layerOf, makeSite } from '../../lib/sites/site.ts';
import { startSink } from '../support/backends.ts';
import { send } from '../support/client.ts';
import { startLane } from './scene.ts';

const FIELDS = 'Host: site.test\r\nCookie: a=b; user=anna\r\nX-User: anna\r\nX-User: bert\r\n';

for (const balance of [
  'random',
  'p2c',
  'leastconn',
  'roundrobin',
  'latency',
  'hash:ip',
  'hash:path',
  'hash:header:X-User',
  'hash:cookie:user',
]) {
  test(`the fast lane serves balance ${balance}`, async (t) => {
    const site = makeSite({ host: layerOf({ options: new Map([['balance', balance]]), headers: undefined }) });
    const scene = await startLane(t, { site });
    const backends = await Promise.all([startSink(t), startSink(t), startSink(t)]);
    scene.store.set('site.test', ['site', ...backends.map(({ url }) => url)]);
    const requests = Array.from({ length: 9 }, (_, i) => `GET /${i} HTTP/1.1\r\n${FIELDS}\r\n`);
    const last = `GET / HTTP/1.1\r\n${FIELDS}Connection: close\r\n\r\n`;
    const answer = await send(scene.port, requests.join('') + last);
    assert.equal(answer.match(/HTTP\/1\.1 200 /g)?.length, 10);
    assert.deepEqual([scene.lent, scene.adopted], [[], []]);
    if (/header|cookie/.test(balance)) {
      assert.equal(backends.filter((each) => each.connections() > 0).length, 1, 'one backend for one key');
    }
    if (balance === 'roundrobin') {
      assert.ok(backends.every((each) => each.connections() > 0));
    }
  });
}

function asking(cookie: string, more = ''): string {
  return `GET / HTTP/1.1\r\nHost: site.test\r\nCookie: ${cookie}\r\n${more}\r\n`;
}

test('a request with the cookie of its backend is served by the fast lane, others are lent for a new cookie', async (t) => {
  const site = makeSite({ host: layerOf({ options: new Map([['sticky', 'home']]) }) });
  let isReady = true;
  const sticky = {
    isReady: () => isReady,
    ready: () => Promise.resolve(),
    valueOf: ({ id }: { readonly id: number }, key: string) => `${key}-${id}`,
  };
  const scene = await startLane(t, { site, sticky });
  const backends = await Promise.all([startSink(t), startSink(t), startSink(t)]);
  scene.store.set('site.test', ['site', ...backends.map(({ url }) => url)]);
  const last = asking('home=site.test-1', 'Connection: close\r\n');
  const answer = await send(scene.port, asking('a=b; home=site.test-1').repeat(5) + last);
  assert.equal(answer.match(/HTTP\/1\.1 200 /g)?.length, 6);
  assert.deepEqual(
    backends.map((each) => each.connections()),
    [0, 1, 0],
  );
  assert.equal(scene.lent.length, 0);
  await send(scene.port, asking('home=site.test-9') + asking('a=b') + last);
  assert.equal(scene.lent.length, 2);
  isReady = false;
  await send(scene.port, last);
  assert.equal(scene.lent.length, 3, 'the full lane waits for the secret');
});
