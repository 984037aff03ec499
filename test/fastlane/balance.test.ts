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
