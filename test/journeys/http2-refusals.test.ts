/** HTTP/2 backends that refuse streams (RFC 9113 §8.7): requests are sent again, within bounds, and no backend is dead. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { test, type TestContext } from 'node:test';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { assertNobodyDied } from '../support/deaths.ts';
import { ACK, END_HEADERS, END_STREAM, fieldBlock, FRAME, frame } from '../support/http2.ts';
import { startFrameBackend } from '../support/http2-backends.ts';
import { leaseRouter } from '../support/leased-router.ts';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_REFUSED_STREAM } = constants;

/** Resets so many streams with this code, and answers the others with `ok`. Counts all. */
async function startRefuser(t: TestContext, code: number, refusals: number) {
  const seen = { streams: 0, url: '' };
  seen.url = await startFrameBackend(t, (id) => {
    seen.streams++;
    if (seen.streams <= refusals) {
      const payload = Buffer.alloc(4);
      payload.writeUInt32BE(code);
      return [frame(FRAME.reset, 0, id, payload)];
    }
    const head = fieldBlock([[':status', '200']]);
    return [frame(FRAME.headers, END_HEADERS, id, head), frame(FRAME.data, END_STREAM, id, Buffer.from('ok'))];
  });
  return seen;
}

for (const method of ['GET', 'POST'])
  test(`a ${method} that is refused four times gets its response from the same backend`, async (t) => {
    const backend = await startRefuser(t, NGHTTP2_REFUSED_STREAM, 4);
    // A second entry: the only backend of a site would never be dead.
    const routes = {
      'site.test': ['site', backend.url, backend.url],
      'dead.test': ['dead', refusingUrl(), backend.url],
    };
    const router = await leaseRouter(t, { routes });
    const { status, body } = await ask({ port: router.port, method, ...(method === 'POST' && { body: 'x' }) });
    assert.deepEqual([status, body, backend.streams], [200, 'ok', 5]);
    await assertNobodyDied(router, 'site.test', 'dead.test');
  });

test('a backend that refuses every stream is not dead, and even a POST goes to the next one', async (t) => {
  const refuser = await startRefuser(t, NGHTTP2_REFUSED_STREAM, Infinity);
  const good = await startBackend(t, says('good'));
  const routes = {
    'site.test': ['site', refuser.url, good.url],
    'dead.test': ['dead', refusingUrl(), good.url],
    'sole.test': ['sole', refuser.url],
  };
  const router = await leaseRouter(t, { routes });
  const { port } = router;
  for (let i = 0; i < 10 && refuser.streams === 0; i++)
    assert.equal((await ask({ port, method: 'POST', body: 'x' })).body, 'good');
  assert.ok(refuser.streams > 0);
  await assertNobodyDied(router, 'site.test', 'dead.test');
  const before = refuser.streams;
  assert.equal((await ask({ port, host: 'sole.test' })).status, 503);
  assert.equal(refuser.streams - before, 5);
  assert.equal((await router.event('refused'))['code'], 'backend-crowded');
});

test('a stream that ends with ENHANCE_YOUR_CALM is sent again if its method is idempotent', async (t) => {
  const backend = await startRefuser(t, NGHTTP2_ENHANCE_YOUR_CALM, 2);
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const { port } = router;
  assert.equal((await ask({ port, method: 'POST', body: 'x' })).status, 502);
  assert.equal(backend.streams, 1);
  assert.equal((await ask({ port })).body, 'ok');
  assert.equal(backend.streams, 3);
});

test('a request takes the place of a cancelled one when the backend has acknowledged that', async (t) => {
  const opened: number[] = [];
  const seen: string[] = [];
  const url = await startFrameBackend(
    t,
    (id) => {
      opened.push(id);
      seen.push('stream');
      const head = frame(FRAME.headers, END_HEADERS, id, fieldBlock([[':status', '200']]));
      const isHeld = opened.length % 2 === 1;
      return [head, frame(FRAME.data, isHeld ? 0 : END_STREAM, id, Buffer.from('ok'))];
    },
    {
      // SETTINGS_MAX_CONCURRENT_STREAMS.
      settings: Buffer.from([0, 3, 0, 0, 0, 1]),
      onFrame: ({ type, flags, payload }, socket) => {
        if (type === FRAME.reset) seen.push('reset');
        if (type !== FRAME.ping || flags !== 0) return;
        // A new stream would come meanwhile.
        setTimeout(() => {
          seen.push('acknowledged');
          socket.write(frame(FRAME.ping, ACK, 0, payload));
        }, 20);
      },
    },
  );
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', url] }, server: { maxSockets: 1 } });
  const { port } = router;
  for (let i = 0; i < 5; i++) {
    const client = await dial(port);
    client.write('GET /held HTTP/1.1\r\nHost: site.test\r\n\r\n');
    await once(client, 'data');
    const next = ask({ port, method: 'POST', body: 'x' });
    client.destroy();
    assert.equal((await next).body, 'ok');
    assert.deepEqual(seen.splice(0), ['stream', 'reset', 'acknowledged', 'stream']);
  }
});
