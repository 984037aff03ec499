/** Answers of HTTP/2 backends, frame by frame: which of them are whole (RFC 9113 §8.1, §8.1.1). */
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { test } from 'node:test';
import { send } from '../support/client.ts';
import { startFrameBackend } from '../support/http2-backends.ts';
import { END_HEADERS, END_STREAM, fieldBlock, FRAME, frame, openSession, request } from '../support/http2.ts';
import { startRouter } from '../support/router.ts';

type Part = (stream: number) => Buffer;

function head(fields: Readonly<Record<string, string>> = {}, flags = 0): Part {
  const block = fieldBlock([[':status', '200'], ...Object.entries(fields)]);
  return (stream) => frame(FRAME.headers, END_HEADERS | flags, stream, block);
}

function data(text: string, flags = 0): Part {
  return (stream) => frame(FRAME.data, flags, stream, Buffer.from(text));
}

const trailers: Part = (stream) => frame(FRAME.headers, END_HEADERS | END_STREAM, stream, fieldBlock([['x-sum', '9']]));

function reset(code: number): Part {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return (stream) => frame(FRAME.reset, 0, stream, payload);
}

const noError = reset(constants.NGHTTP2_NO_ERROR);
const large = 'x'.repeat(16_384);

/** What the backend sends, and the body that is whole, or null where it is not. */
const ANSWERS: Readonly<Record<string, readonly [body: string | null, ...parts: Part[]]>> = {
  whole: ['abc', head(), data('abc', END_STREAM)],
  'whole-late-end': ['abc', head(), data('abc'), data('', END_STREAM)],
  'whole-then-reset': ['abc', head(), data('abc', END_STREAM), noError],
  'whole-by-trailers-then-reset': ['abc', head(), data('abc'), trailers, noError],
  'head-only-then-reset': ['', head({}, END_STREAM), noError],
  'whole-by-length-then-reset': ['abc', head({ 'content-length': '3' }), data('abc'), noError],
  'large-then-reset': [large.repeat(3), head(), data(large), data(large), data(large, END_STREAM), noError],
  'reset-after-the-head': [null, head(), noError],
  'reset-in-the-body': [null, head(), data('abc'), noError],
  'reset-in-a-large-body': [null, head(), data(large), data(large), data(large), noError],
  'reset-with-a-fault': [null, head(), data('abc'), reset(constants.NGHTTP2_INTERNAL_ERROR)],
  'reset-before-its-length': [null, head({ 'content-length': '5' }), data('abc'), noError],
  'shorter-than-its-length': [null, head({ 'content-length': '5' }), data('abc', END_STREAM)],
  'longer-than-its-length': [null, head({ 'content-length': '2' }), data('abc', END_STREAM)],
};

/** Whether a response in HTTP/1.1 is as long as its head says. */
function isWhole(text: string): boolean {
  const at = text.indexOf('\r\n\r\n');
  if (at === -1) return false;
  const got = text.slice(at + 4);
  if (/^transfer-encoding: chunked\r\n/im.test(text)) return /(?:^|\r\n)0\r\n(?:x-sum: 9\r\n)?\r\n$/.test(got);
  return got.length === Number(/^content-length: (\d+)\r\n/im.exec(text)?.[1]);
}

test('an answer of an HTTP/2 backend that broke off looks whole to nobody, and one that is whole does', async (t) => {
  const urls = await Promise.all(
    Object.entries(ANSWERS).map(async ([name, [, ...parts]]) => {
      const url = await startFrameBackend(t, (stream) => parts.map((part) => part(stream)));
      return [`${name}.test`, [name, url]] as const;
    }),
  );
  const router = await startRouter(t, {
    routes: Object.fromEntries(urls),
    config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } },
  });
  const session = await openSession(t, router.port);

  for (const [name, [body]] of Object.entries(ANSWERS)) {
    await t.test(`HTTP/1.1, ${name}`, async () => {
      // The second one has not sent its body when the answer comes.
      for (const rest of ['GET / HTTP/1.1\r\n', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n']) {
        const bytes = `${rest}Host: ${name}.test\r\nConnection: close\r\n\r\n`;
        // After a whole one the router waits for the body.
        const text = await send(router.port, bytes, (sofar) => body !== null && isWhole(sofar));
        assert.equal(isWhole(text) && text.startsWith('HTTP/1.1 200 '), body !== null, text.slice(0, 300));
      }
    });
    await t.test(`HTTP/2, ${name}`, async () => {
      for (const method of ['GET', 'POST']) {
        const headers = { ':authority': `${name}.test`, ':method': method };
        const answer = await request(session, headers, method === 'POST' ? 'body' : undefined);
        if (body === null) assert.ok(answer.code !== 0 || answer.status === 502, JSON.stringify(answer));
        else assert.deepEqual([answer.code, answer.status, answer.body], [0, 200, body]);
      }
    });
  }
});
