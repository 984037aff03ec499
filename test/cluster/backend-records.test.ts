/** What a worker has counted of its backends: its lanes and listeners in this process, with real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { refusingUrl, says, startBackend, startSink } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { startInnerWorker } from '../support/inner-worker.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

for (const fastLane of [true, false]) {
  const setting = `with the fast lane ${fastLane ? 'on' : 'off'}`;

  test(`requests of both lanes to one backend count in one record, ${setting}`, async (t) => {
    const { port, store, of } = await startInnerWorker(t, fastLane);
    const backend = await startWebSocketBackend(t);
    store.set('site.test', ['site', backend.url]);
    store.set('other.test', ['other', `${backend.url}/`]);
    for (const host of ['site.test', 'other.test']) assert.equal((await ask({ port, host })).status, 426);
    // The full lane alone says where a response is from.
    assert.equal((await ask({ port, headers: { 'X-Debug': '1' } })).status, 426);
    await eventually(() => {
      const { inFlight, open, idle } = of(backend.url);
      assert.deepEqual([inFlight, open, idle], fastLane ? [0, 2, 2] : [0, 1, 1]);
    });
    const client = openWebSocket(t, `ws://127.0.0.1:${port}`, 'site.test');
    await once(client, 'open');
    await eventually(() => {
      const { inFlight, waiting, responses } = of(backend.url);
      assert.deepEqual([inFlight, waiting], [1, 0]);
      assert.deepEqual(responses, { '1xx': 1, '2xx': 0, '3xx': 0, '4xx': 3, '5xx': 0 });
    });
    assert.ok(of(backend.url).latencyMs > 0);
    const { open } = of(backend.url);
    client.terminate();
    await eventually(() => assert.equal(of(backend.url).inFlight, 0));
    assert.equal(of(backend.url).open, open - 1, 'a WebSocket’s connection is one that is open');
    assert.deepEqual(of(backend.url).failures, []);
  });

  test(`requests to an HTTP/2 backend count, ${setting}`, async (t) => {
    const { port, store, of } = await startInnerWorker(t, fastLane);
    const held: (() => void)[] = [];
    const { url } = await startHttp2Backend(t, (stream) => {
      held.push(() => stream.respond({ ':status': 204 }, { endStream: true }));
    });
    store.set('site.test', ['site', url]);
    const asked = [ask({ port }), ask({ port })];
    await eventually(() => assert.equal(held.length, 2));
    assert.deepEqual([of(url).inFlight, of(url).open, of(url).idle], [2, 1, 0]);
    for (const respond of held) respond();
    for (const { status } of await Promise.all(asked)) assert.equal(status, 204);
    await eventually(() => assert.deepEqual([of(url).inFlight, of(url).open, of(url).idle], [0, 1, 1]));
    assert.equal(of(url).responses['2xx'], 2);
  });

  test(`why attempts failed is written down, ${setting}`, async (t) => {
    const { port, store, of } = await startInnerWorker(t, fastLane);
    const good = await startBackend(t, says('ok'));
    const garbled = await startSink(t, 'no HTTP at all\r\n\r\n');
    const cut = await startBackend(t, (_request, response) => {
      response.writeHead(200, { 'Content-Length': 10 }).write('five.', () => response.destroy());
    });
    const failing = await startBackend(t, says('gone', 503));
    const refusing = refusingUrl();
    const since = Date.now();
    for (const url of [refusing, garbled.url, failing.url]) {
      store.set('site.test', ['site', url]);
      assert.ok((await ask({ port })).status >= 500, url);
    }
    store.set('site.test', ['site', cut.url]);
    await assert.rejects(ask({ port }));
    const typeAndCode = (url: string) => of(url).failures.map(({ type, code }) => [type, code]);
    await eventually(() => assert.equal(of(cut.url).failures.length, 1));
    assert.equal(of(cut.url).failures[0]?.type, 'cut');
    assert.deepEqual(typeAndCode(refusing), [['unreachable', 'ECONNREFUSED']]);
    assert.deepEqual(typeAndCode(garbled.url), [['garbled', null]]);
    assert.deepEqual(typeAndCode(failing.url), [['answered', '503']]);
    const [failure] = of(refusing).failures;
    assert.match(failure?.reason ?? '', /ECONNREFUSED/);
    assert.ok(failure && failure.at >= since && failure.at <= Date.now());
    assert.equal(of(failing.url).responses['5xx'], 1);

    store.set('site.test', ['site', good.url]);
    assert.equal((await ask({ port })).status, 200);
    assert.deepEqual(of(good.url).failures, []);
  });

  test(`a backend is dead from a death until it responds well again, ${setting}`, async (t) => {
    const { port, store, of } = await startInnerWorker(t, fastLane);
    let status = 502;
    const sick = await startBackend(t, (_request, response) => response.writeHead(status).end());
    const well = await startBackend(t, says('ok'));
    store.set('site.test', ['site', sick.url, well.url]);
    const isDead = (): boolean => of(sick.url).isDead;
    await eventually(async () => {
      await ask({ port });
      assert.ok(isDead());
    });
    status = 200;
    // Another site has the same server, and no mark for it. A good response there says nothing of the first site's.
    store.set('other.test', ['other', sick.url]);
    assert.equal((await ask({ port, host: 'other.test' })).status, 200);
    assert.ok(isDead());
    store.set('site.test', []);
    store.set('site.test', ['site', sick.url]);
    assert.equal((await ask({ port })).status, 200);
    await eventually(() => assert.ok(!isDead()));
  });
}
