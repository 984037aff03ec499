/** Whatever fields come over HTTP/2: an error, or a request that no two readers could read in two ways. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FrameClient } from '../support/frame-cases.ts';
import { data, type Fields, headers } from '../support/frames.ts';
import { END_HEADERS, END_STREAM, FRAME } from '../support/http2.ts';
import { propertyRuns } from '../support/random.ts';
import { valuesOf } from '../support/wire.ts';
import { shareFrameScene } from './frame-scene.ts';

/** `HIPACHE_PROPERTY_RUNS=20 npm test -- h2-fields` for a long look. */
const RUNS = propertyRuns(20);

const start = shareFrameScene();

/** Usually right, now and then one of these. */
function mostly(usual: string, ...others: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
}

const value = fc.oneof(
  fc.constantFrom(
    'a',
    '',
    'a b',
    ' a',
    'a ',
    '\t',
    'a\r\nx-evil: 1',
    'a\nx-evil: 1',
    'a\0',
    '\x01',
    '\x7f',
    '\xff',
    ',',
  ),
  fc.constantFrom(
    'chunked',
    'identity',
    '0',
    '1',
    '3',
    '+3',
    '3, 3',
    '0x3',
    'trailers',
    'site.test',
    'evil.test',
    'close',
  ),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);
const name = fc.oneof(
  fc.constantFrom('x-a', 'x-b', 'cookie', 'te', 'trailer', 'range', 'via', 'x-forwarded-for', 'forwarded', 'date'),
  fc.constantFrom('content-length', 'transfer-encoding', 'host', 'connection', 'upgrade', 'keep-alive', 'priority'),
  fc.constantFrom(
    'X-A',
    'x a',
    'x-a ',
    'x-a:',
    'x-a: 1\r\nx-evil',
    'x-\0',
    '',
    'x-\xe9',
    'x(',
    ':path',
    ':method',
    ':evil',
  ),
);
const request = fc.record({
  method: mostly('POST', 'GET', 'OPTIONS', 'CONNECT', 'post', 'P T', 'POST / HTTP/1.1\r\n', '', 'TRACE', 'PRI'),
  scheme: mostly('http', 'https', 'ftp', '', 'http://evil.test/'),
  path: mostly(
    '/',
    '*',
    '',
    '/a b',
    '/a\r\nx-evil: 1',
    '//evil.test',
    'http://evil.test/',
    '/\xff',
    '/a#b',
    '/../..',
    '/\x01',
  ),
  authority: mostly(
    'site.test',
    'SITE.test',
    'site.test:80',
    'a@site.test',
    '',
    'site.test\r\nx-evil: 1',
    'site.test, a',
    'x y',
  ),
  fields: fc.array(fc.tuple(name, value), { maxLength: 4 }),
  body: fc.option(fc.constantFrom('', 'abc', '0\r\n\r\n', 'GET /evil HTTP/1.1\r\n\r\n')),
});
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

function framesOf(stream: number, each: Request): Buffer {
  const { method, scheme, path, authority, fields, body } = each;
  const all: Fields = [
    [':method', method],
    [':scheme', scheme],
    [':path', path],
    [':authority', authority],
    ['x-case', String(stream)],
    ...fields,
  ];
  const head = headers(stream, all, END_HEADERS | (body === null ? END_STREAM : 0));
  return body === null ? head : Buffer.concat([head, data(stream, body)]);
}

test('whatever fields a request has, it is refused, or the backend gets one request with these fields and this body', async () => {
  const scene = await start();
  let answered = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 40, maxLength: 80 }), async (asked) => {
      scene.requests();
      const ends: (() => unknown)[] = [];
      const client = await FrameClient.connect({ after: (end) => ends.push(end) }, scene.port);
      for (const [i, each] of asked.entries()) client.send(framesOf(2 * i + 1, each));
      for (const [i] of asked.entries()) {
        const stream = 2 * i + 1;
        await client.find(
          (each) => each.stream === stream && (each.type === FRAME.reset || client.received(stream).hasEnded),
        );
        if (client.received(stream).status === 200) answered++;
        else refused++;
      }
      await client.isRead();
      for (const end of ends) end();
      // The backend reads strictly: bytes of which two readers could make two things would have failed there.
      const seen = scene.requests();
      const cases = seen.map((each) => valuesOf(each, 'x-case').join());
      assert.equal(new Set(cases).size, cases.length, 'no request twice');
      for (const each of seen) {
        const sent = asked[(Number(valuesOf(each, 'x-case').join()) - 1) / 2];
        assert.ok(sent, 'every request is one that was sent');
        assert.equal(each.method, sent.method);
        assert.equal(each.target, sent.path);
        assert.equal(each.body, sent.body ?? '');
        assert.deepEqual(
          valuesOf(each, 'host').map((host) => host.toLowerCase()),
          [sent.authority.toLowerCase()],
        );
        assert.deepEqual(valuesOf(each, 'x-evil'), []);
        for (const own of ['x-a', 'x-b']) {
          const values: string[] = sent.fields.filter(([field]) => field === own).map(([, text]) => text);
          assert.deepEqual(valuesOf(each, own), values);
        }
      }
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  assert.ok(answered > 5 * RUNS && refused > 5 * RUNS, `${answered} answered, ${refused} refused`);
});
