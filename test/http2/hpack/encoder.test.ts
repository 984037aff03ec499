import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, sensitiveHeaders } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HpackDecoder } from '../../../lib/http2/hpack/decoder.ts';
import { fieldRoom, HEAD_ROOM, HpackEncoder } from '../../../lib/http2/hpack/encoder.ts';
import { FRAME, frame, readFrames } from '../../support/http2.ts';
import { propertyRuns } from '../../support/random.ts';
import { fieldsOf, listOf } from './blocks.ts';

const NUM_RUNS = propertyRuns(500);
type Fields = readonly (readonly [name: string, value: string])[];

/** A block with exactly the room that the encoder says it needs. */
function blockOf(encoder: HpackEncoder, status: number | null, fields: Fields): Buffer {
  const room = fields.reduce((sum, [name, value]) => sum + fieldRoom(name, value), HEAD_ROOM);
  const into = Buffer.alloc(room);
  let at = encoder.begin(into, 0);
  if (status !== null) at = encoder.status(into, at, status);
  assert.ok(at <= HEAD_ROOM);
  for (const [name, value] of fields) {
    const next = encoder.field(into, at, name, value);
    assert.ok(next - at <= fieldRoom(name, value), name);
    at = next;
  }
  return into.subarray(0, at);
}

const TYPICAL: Fields = [
  ['content-type', 'text/html; charset=utf-8'],
  ['server', 'nginx'],
  ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
];

test('fields that repeat take one byte each from the second response on', () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(4096);
  const lines = TYPICAL.map((field) => field.join(' '));
  assert.deepEqual(fieldsOf(decoder, blockOf(encoder, 200, TYPICAL)), [':status 200', ...lines]);
  const second = blockOf(encoder, 200, TYPICAL);
  assert.equal(second.length, 4);
  assert.deepEqual(fieldsOf(decoder, second), [':status 200', ...lines]);
  assert.equal(encoder.tableBytes, decoder.tableBytes);
});

test('every status comes back as it was, the frequent ones in one byte', () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(4096);
  for (let status = 100; status < 1000; status++) {
    const block = blockOf(encoder, status, []);
    assert.equal(block.length, [200, 204, 206, 304, 400, 404, 500].includes(status) ? 1 : 5);
    assert.deepEqual(fieldsOf(decoder, block), [`:status ${status}`]);
  }
});

test('secrets and values that differ each time are not added to the table, and secrets by no next hop', () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(4096);
  const fields: Fields = [
    ['set-cookie', 'a=1'],
    ['www-authenticate', 'Basic'],
    ['authorization', 'b'],
    ['content-length', '5'],
    ['etag', '"a"'],
    ['x-request-id', '1'],
  ];
  const list = listOf(decoder, blockOf(encoder, 200, fields));
  assert.equal(decoder.tableBytes, 0);
  assert.deepEqual(
    list.neverIndexed?.map((at) => list.fields[at]),
    ['set-cookie', 'www-authenticate'],
  );
});

test('a field whose value is new each time is soon not added any more, and removes nothing from the table', () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(4096);
  fieldsOf(decoder, blockOf(encoder, 200, TYPICAL));
  for (let i = 0; i < 1_000; i++) fieldsOf(decoder, blockOf(encoder, 200, [['cache-control', `max-age=${i}`]]));
  assert.ok(decoder.tableBytes < 1_000, `${decoder.tableBytes} bytes`);
  assert.equal(blockOf(encoder, 200, TYPICAL).length, 4);
});

test('the other side’s limit is announced in the next block: the lowest, then the last', () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(4096);
  const sizes = (): string => blockOf(encoder, null, []).toString('hex');
  assert.equal(sizes(), '');
  fieldsOf(decoder, blockOf(encoder, 200, TYPICAL));
  encoder.limitTable(65_536);
  assert.equal(sizes(), '', 'our own maximum stays');
  encoder.limitTable(0);
  encoder.limitTable(100);
  assert.equal(sizes(), '203f45');
  assert.equal(sizes(), '');
  encoder.limitTable(30);
  assert.equal(sizes(), '3e');
  encoder.limitTable(0);
  assert.equal(sizes(), '20');
  assert.equal(encoder.tableBytes, 0);
  const block = blockOf(encoder, 200, TYPICAL);
  assert.equal(new HpackDecoder(0).decode(block, 0, block.length, 1000)?.fields.length, 8);
  encoder.limitTable(4096);
  assert.equal(sizes(), '3fe11f');
  encoder.limitTable(0);
  encoder.limitTable(4096);
  assert.equal(sizes(), '203fe11f', 'the table is empty between');
});

const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const name = fc.oneof(
  fc.constantFrom('content-type', 'server', 'date', 'vary', 'set-cookie', 'etag', 'content-length', 'x-a', 'location'),
  text(40),
);
const value = fc.oneof(
  fc.constantFrom('', 'a', 'text/html', 'nginx', 'b'.repeat(24), 'c'.repeat(25), 'd'.repeat(2000)),
  text(200),
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.tuple(name, value), { maxLength: 8 }) },
  { weight: 1, arbitrary: fc.oneof(fc.nat(300), fc.constantFrom(4096, 4_294_967_295)) },
);

test('whatever is encoded is decoded as it was, with tables of the same size, whatever limits are set between', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder(65_536);
      for (const each of steps) {
        if (typeof each === 'number') {
          encoder.limitTable(each);
          continue;
        }
        const list = listOf(decoder, blockOf(encoder, 200, each), Infinity);
        assert.deepEqual(list.fields, [':status', '200', ...each.flat()]);
        assert.equal(encoder.tableBytes, decoder.tableBytes);
        assert.ok(encoder.tableBytes <= 4096);
      }
    }),
    { numRuns: NUM_RUNS },
  );
});

const token = fc.string({
  unit: fc.constantFrom('a', 'b', 'x', 'z', '0', '1', '9', '-', '_'),
  minLength: 1,
  maxLength: 30,
});
const requestFields = fc.array(
  fc.record({
    name: fc.oneof(
      fc.constantFrom('accept', 'user-agent', 'cookie', 'x-custom'),
      token.map((each) => `x-${each}`),
    ),
    value: fc.oneof(fc.constantFrom('a', 'b'), token),
    isSensitive: fc.boolean(),
  }),
  { maxLength: 10 },
);

test('blocks of node:http2 are decoded as node:http2 meant them, and it decodes ours', async (t) => {
  let socket: Socket | null = null;
  let secrets: string[] = [];
  const decoder = new HpackDecoder(4096);
  const encoder = new HpackEncoder();
  const server = createServer((accepted) => {
    socket = accepted;
    accepted.on('error', () => {});
    let rest = Buffer.alloc(0);
    let isFirst = true;
    accepted.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      if (isFirst && rest.length < 24) return;
      if (isFirst) rest = rest.subarray(24);
      isFirst = false;
      const read = readFrames(rest);
      rest = Buffer.from(read.rest);
      for (const { type, flags, stream, payload } of read.frames) {
        if (type === FRAME.settings && flags === 0) accepted.write(frame(FRAME.settings, 1, 0));
        if (type !== FRAME.headers) continue;
        // Node sets the priority flag.
        const { fields, neverIndexed } = listOf(decoder, payload.subarray((flags & 0x20) === 0 ? 0 : 5));
        secrets = (neverIndexed ?? []).map((at) => fields[at] ?? '');
        const reply: [string, string][] = [];
        for (let i = 0; i < fields.length; i += 2)
          if (!fields[i]?.startsWith(':')) reply.push([fields[i] ?? '', fields[i + 1] ?? '']);
        accepted.write(frame(FRAME.headers, 5, stream, blockOf(encoder, 200, [...reply, ...TYPICAL])));
      }
    });
    accepted.write(frame(FRAME.settings, 0, 0));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on('error', () => {});
  t.after(() => {
    session.destroy();
    socket?.destroy();
    server.close();
  });
  await fc.assert(
    fc.asyncProperty(requestFields, async (sent) => {
      const raw: Fields = sent.map((each, i) => [`${each.name}${i}`, each.value]);
      const never = sent.flatMap((each, i) => (each.isSensitive ? [`${each.name}${i}`] : []));
      const headers = {
        ':path': '/',
        ...Object.fromEntries(raw),
        [sensitiveHeaders]: never,
      };
      const stream = session.request(headers, { endStream: true });
      stream.resume();
      const [fields] = (await once(stream, 'response')) as [Record<string, string>];
      const got = Object.entries(fields).map((each) => each.join(' '));
      const expected = [...raw, ...TYPICAL].map((each) => each.join(' '));
      assert.deepEqual(got, [':status 200', ...expected]);
      // Node also protects short cookies.
      assert.deepEqual(
        secrets.filter((each) => !each.startsWith('cookie')),
        never.filter((each) => !each.startsWith('cookie')),
      );
    }),
    { numRuns: propertyRuns(100) },
  );
  assert.ok(decoder.tableBytes > 0);
});
