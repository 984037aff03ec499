/** Heads over HTTP/2: how large those of backends' answers may be, and what comes of larger ones, requests' too. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { send } from '../support/client.ts';
import { startFrameBackend, startHttp2Backend } from '../support/http2-backends.ts';
import {
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  FRAME,
  frame,
  GET,
  openSession,
  RawHttp2,
  request,
} from '../support/http2.ts';
import { readAnswers } from '../support/wire.ts';
import { type Scene, startScene, statusOf } from './scene.ts';

const HTTP2 = { config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } } };
/** Bytes of a frame that any server takes. */
const FRAME_BYTES = 16_384;
const ASK = 'GET / HTTP/1.1\r\nHost: two.test\r\nConnection: close\r\n\r\n';

/** Two backends that answer with so many fields, whose values are so long. */
async function startWith(t: TestContext, fields: number, length: number): Promise<Scene> {
  const lines = Array.from({ length: fields }, (_, i) => [`x-${i}`, 'a'.repeat(length)] as const);
  const block = fieldBlock([[':status', '200'], ...lines]);
  const url = await startFrameBackend(t, (stream) => {
    const frames: Buffer[] = [];
    for (let at = 0; at < block.length; at += FRAME_BYTES) {
      const end = at + FRAME_BYTES >= block.length ? END_HEADERS : 0;
      const [type, flags] = at === 0 ? [FRAME.headers, END_STREAM | end] : [FRAME.continuation, end];
      frames.push(frame(type, flags, stream, block.subarray(at, at + FRAME_BYTES)));
    }
    return frames;
  });
  return await startScene(t, { ...HTTP2, routes: { 'two.test': ['two', url, `${url}/`] } });
}

for (const [fields, length] of [
  [200, 1],
  [1_500, 1],
  [1, 60_000],
] as const) {
  test(`a head of ${fields} fields with values of ${length} bytes passes`, async (t) => {
    const { port, router } = await startWith(t, fields, length);
    const [got] = readAnswers(await send(port, ASK), ['GET']);
    assert.equal(got?.fields.filter(([name]) => name.startsWith('x-')).length, fields);
    if (fields === 1) {
      const answer = await request(await openSession(t, port), { ':authority': 'two.test' });
      assert.deepEqual([answer.status, answer.headers['x-0']?.length], [200, length]);
    }
    assert.ok(!router.log.some(({ event }) => event === 'backend-dead'));
  });
}

for (const [fields, length] of [
  [3_000, 1],
  [2, 33_000],
  [2, 40_000],
] as const) {
  test(`one of ${fields} with ${length} is a 502, and no backend is dead for it`, async (t) => {
    const { port, router } = await startWith(t, fields, length);
    const session = await openSession(t, port);
    for (let i = 0; i < 3; i++) {
      assert.equal(statusOf(await send(port, ASK)), 502);
      const { status, code } = await request(session, { ':authority': 'two.test' });
      assert.deepEqual([status, code], [502, 0]);
    }
    await router.line(/"GET \/ HTTP\/2\.0" 502 /);
    await router.event('refused');
    assert.ok(!router.log.some(({ event }) => event === 'backend-dead' || event === 'last-backend'));
  });
}

test('an answer whose trailers are too large does not look whole, and one with large ones does', async (t) => {
  const two = await startHttp2Backend(
    t,
    (stream, { ':path': path }) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': 'a'.repeat(Number(path?.slice(1))) }));
      stream.end('body');
    },
    { maxSendHeaderBlockLength: 1_000_000 },
  );
  const { port } = await startScene(t, { ...HTTP2, routes: { 'two.test': ['two', two.url] } });
  const session = await openSession(t, port);
  const get = (length: number): ReturnType<typeof request> =>
    request(session, { ':authority': 'two.test', ':path': `/${length}`, te: 'trailers' });
  const whole = await get(60_000);
  assert.deepEqual([whole.code, whole.body, whole.trailers['x-sum']?.length], [0, 'body', 60_000]);
  assert.notEqual((await get(70_000)).code, 0);
  const text = await send(port, ASK.replace('/ ', '/70000 '));
  assert.ok(text.startsWith('HTTP/1.1 200 ') && !/\r\n0\r\n/.test(text), text.slice(-100));
});

test('a request whose head is too large is 431, and the access log has it as one of HTTP/2', async (t) => {
  const scene = await startScene(t, HTTP2);
  const raw = await RawHttp2.open(t, scene.port);
  const block = fieldBlock([...GET, ...['a', 'b', 'c'].map((name) => [name, name.repeat(6_000)] as const)]);
  for (const stream of [1, 3]) {
    raw.write(FRAME.headers, END_STREAM, stream, block.subarray(0, FRAME_BYTES));
    raw.write(FRAME.continuation, END_HEADERS, stream, block.subarray(FRAME_BYTES));
    await raw.find((each) => each.stream === stream && each.type === FRAME.data);
  }
  await scene.router.until('lines', () => {
    return scene.router.lines.filter((line) => line.includes('"GET / HTTP/2.0" 431 ')).length === 2;
  });
  assert.equal(scene.received(), '');
  await scene.isWell();
});
