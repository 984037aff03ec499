import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Http1StreamAdapter } from '../../lib/http2/http1-stream-adapter.ts';
import { innerRequest } from '../../lib/http2/inner-request.ts';
import { answerOf, openSession, request } from '../support/http2.ts';

/** A session whose streams adapters have, which write this text as the lanes would; and what was told of it. */
async function startAdapters(t: TestContext, text: string) {
  const unsent: unknown[] = [];
  const keeper = { onFree: () => {}, onGone: () => {}, onReset: () => {}, onUnsent: (e: unknown) => unsent.push(e) };
  const server = createServer();
  server.on('stream', ((stream: ServerHttp2Stream, _headers: object, _flags: number, raw: string[]) => {
    stream.on('error', () => {});
    const inner = innerRequest(raw, true, () => '');
    assert.ok(inner);
    const adapter = new Http1StreamAdapter(keeper, true);
    adapter.resume();
    adapter.attach(stream, inner, true, []);
    adapter.write(text);
  }) as never);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { session: await openSession(t, (server.address() as AddressInfo).port), unsent };
}

for (const [what, text, pattern] of [
  ['a head', 'HTTP/1.1 700 Odd\r\nContent-Length: 0\r\n\r\n', /status code: 700/],
  ['a 1xx', 'HTTP/1.1 103 Hint\r\nX-A B: c\r\n\r\n', /token/i],
  ['trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nUpgrade: a\r\n\r\n', /upgrade/i],
] as const) {
  test(`${what} that Node does not send resets its stream, and is reported`, async (t) => {
    const { session, unsent } = await startAdapters(t, text);
    const { code } = await request(session);
    assert.equal(code, constants.NGHTTP2_INTERNAL_ERROR);
    assert.equal(unsent.length, 1);
    assert.match(String(unsent[0]), pattern);
  });
}

test('what Node sends is not reported', async (t) => {
  const { session, unsent } = await startAdapters(
    t,
    'HTTP/1.1 200 OK\r\nETag: a\r\nETag: b\r\nContent-Length: 0\r\n\r\n',
  );
  const { status, code } = await answerOf(session.request({ ':authority': 'site.test', ':path': '/' }));
  assert.deepEqual([status, code], [200, 0]);
  assert.deepEqual(unsent, []);
});
