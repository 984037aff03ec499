/** HTTP/2 frames: their format and size, unknown ones, and the connection preface (RFC 9113 §3.4, §4, §5.5). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BAD,
  connectionError,
  FrameClient,
  type FrameCase,
  ignored,
  response,
  streamError,
  testCases,
} from '../support/frame-cases.ts';
import { asking, CODE, continuation, data, headers, ping, priority, settings, uint32 } from '../support/frames.ts';
import { END_HEADERS, END_STREAM, fieldBlock, FRAME, frame, PADDED, PREFACE, WITH_PRIORITY } from '../support/http2.ts';
import { shareFrameScene } from './frame-scene.ts';

const start = shareFrameScene();
/** The maximum size of a frame that the router announces: the initial one (RFC 9113 §6.5.2). */
const FRAME_BYTES = 16_384;
const UNKNOWN = 0xee;

/** A frame as it is, with a byte at `at` changed by `bits`. */
function changed(bytes: Buffer, at: number, bits: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) | bits;
  return copy;
}

const post = headers(1, asking('/', 'POST'), END_HEADERS);
const badPost = headers(1, asking(BAD, 'POST'), END_HEADERS);
const get = headers(1, asking('/'));
const block = fieldBlock(asking('/'));
const padded = (payload: Buffer, padding: number, sent = padding): Buffer =>
  Buffer.concat([Buffer.from([padding]), payload, Buffer.alloc(sent)]);

function priorityUpdate(id: number, of = 0): Buffer {
  return frame(0x10, 0, of, Buffer.concat([uint32(id), Buffer.from('u=1')]));
}

/** PRIORITY_UPDATE frames for the first streams. */
function updates(count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, i) => priorityUpdate(2 * i + 1));
}

const CASES: readonly FrameCase[] = [
  ['a frame of an unknown type is ignored', 'RFC 9113 §4.1', [frame(UNKNOWN, 0xff, 0, Buffer.alloc(9))], ignored],
  ['an unknown frame on a stream that is idle is ignored', '§5.5', [frame(UNKNOWN, 0, 1, Buffer.alloc(9))], ignored],
  ['an unknown frame without a payload is ignored', '§5.5', [frame(UNKNOWN, 0, 0)], ignored],
  [
    'an unknown frame between the frames of a request is ignored',
    '§5.5',
    [post, frame(UNKNOWN, 1, 1), data(1, 'a')],
    response(1),
  ],
  [
    'an unknown frame within a field block is an error',
    '§5.5',
    [headers(1, block.subarray(0, 9), END_STREAM), frame(UNKNOWN, 0, 1), continuation(1, block.subarray(9))],
    connectionError(CODE.protocol),
  ],
  [
    'undefined flags are ignored',
    '§4.1',
    [changed(ping(), 4, 0x16), changed(get, 4, 0xd2 & ~WITH_PRIORITY & ~PADDED)],
    response(1),
  ],
  [
    'the reserved bit of a stream id is ignored',
    '§4.1',
    [changed(ping(), 5, 0x80), changed(get, 5, 0x80)],
    response(1),
  ],
  ['DATA of the maximum size is accepted', '§4.2', [post, data(1, Buffer.alloc(FRAME_BYTES))], response(1)],
  [
    'DATA above the maximum size is an error',
    '§4.2',
    [badPost, data(1, Buffer.alloc(FRAME_BYTES + 1))],
    streamError(1, CODE.frameSize),
    connectionError(CODE.frameSize),
  ],
  [
    'HEADERS above the maximum size is an error',
    '§4.2',
    [headers(1, asking(BAD, 'GET', [['x-a', 'a'.repeat(FRAME_BYTES)]]))],
    connectionError(CODE.frameSize),
  ],
  [
    'SETTINGS above the maximum size is an error',
    '§4.2',
    [frame(FRAME.settings, 0, 0, Buffer.alloc(FRAME_BYTES + 2))],
    connectionError(CODE.frameSize),
  ],
  [
    'an unknown frame above the maximum size is an error',
    '§4.2',
    [frame(UNKNOWN, 0, 0, Buffer.alloc(FRAME_BYTES + 1))],
    connectionError(CODE.frameSize),
  ],
  [
    'a frame of 16 MiB is an error as soon as its header is there',
    '§4.2',
    [frame(FRAME.data, 0, 0).fill(0xff, 0, 3)],
    connectionError(CODE.frameSize),
  ],

  ['DATA in several frames is one body', '§6.1', [post, data(1, 'a', 0), data(1, '', 0), data(1, 'b')], response(1)],
  [
    'DATA with padding is accepted',
    '§6.1',
    [post, frame(FRAME.data, PADDED | END_STREAM, 1, padded(Buffer.from('a'), 5))],
    response(1),
  ],
  [
    'DATA of padding alone is accepted',
    '§6.1',
    [post, frame(FRAME.data, PADDED | END_STREAM, 1, padded(Buffer.alloc(0), 255))],
    response(1),
  ],
  [
    'DATA with a padding of no bytes is accepted',
    '§6.1',
    [post, frame(FRAME.data, PADDED | END_STREAM, 1, padded(Buffer.from('a'), 0))],
    response(1),
  ],
  [
    'DATA whose padding is as long as its payload is an error',
    '§6.1',
    [badPost, frame(FRAME.data, PADDED | END_STREAM, 1, padded(Buffer.alloc(0), 6, 5))],
    connectionError(CODE.protocol),
  ],
  [
    'padded DATA without its pad length is an error',
    '§6.1',
    [badPost, frame(FRAME.data, PADDED | END_STREAM, 1)],
    connectionError(CODE.frameSize, CODE.protocol),
  ],
  ['DATA of stream 0 is an error', '§6.1', [badPost, data(0, 'a')], connectionError(CODE.protocol)],

  [
    'HEADERS with padding is accepted',
    '§6.2',
    [frame(FRAME.headers, PADDED | END_HEADERS | END_STREAM, 1, padded(block, 30))],
    response(1),
  ],
  [
    'HEADERS with a priority is accepted',
    '§6.2',
    [
      frame(
        FRAME.headers,
        WITH_PRIORITY | END_HEADERS | END_STREAM,
        1,
        Buffer.concat([uint32(0), Buffer.from([255]), block]),
      ),
    ],
    response(1),
  ],
  [
    'HEADERS with padding and a priority is accepted',
    '§6.2',
    [
      frame(
        FRAME.headers,
        PADDED | WITH_PRIORITY | END_HEADERS | END_STREAM,
        1,
        padded(Buffer.concat([uint32(0x8000_0000), Buffer.from([1]), block]), 7),
      ),
    ],
    response(1),
  ],
  [
    'HEADERS whose padding is longer than its payload is an error',
    '§6.2',
    [frame(FRAME.headers, PADDED | END_HEADERS | END_STREAM, 1, padded(block, 255, 0))],
    connectionError(CODE.protocol),
  ],
  [
    'padded HEADERS without its pad length is an error',
    '§6.2',
    [frame(FRAME.headers, PADDED | END_HEADERS | END_STREAM, 1)],
    connectionError(CODE.frameSize, CODE.protocol),
  ],
  [
    'HEADERS whose priority is cut is an error',
    '§6.2',
    [frame(FRAME.headers, WITH_PRIORITY | END_HEADERS | END_STREAM, 1, Buffer.alloc(4))],
    connectionError(CODE.frameSize),
  ],
  ['HEADERS of stream 0 is an error', '§6.2', [headers(0, asking(BAD))], connectionError(CODE.protocol)],

  ['PRIORITY is ignored', '§6.3', [priority(1), get, priority(1)], response(1)],
  ['PRIORITY of stream 0 is an error', '§6.3', [priority(0)], connectionError(CODE.protocol)],
  ['PRIORITY_UPDATE is ignored', 'RFC 9218 §7.1', [priorityUpdate(1), get, priorityUpdate(1)], response(1)],
  ['PRIORITY_UPDATE of stream 0 is an error', '§7.1', [priorityUpdate(0)], connectionError(CODE.protocol)],
  [
    'PRIORITY_UPDATE of a stream of the server is an error',
    '§7.1',
    [priorityUpdate(2)],
    connectionError(CODE.protocol),
  ],
  ['PRIORITY_UPDATE of a stream is an error', '§7.1', [get, priorityUpdate(1, 1)], connectionError(CODE.protocol)],
  [
    'PRIORITY_UPDATE of 3 bytes is an error',
    '§7.1',
    [frame(0x10, 0, 0, Buffer.alloc(3))],
    connectionError(CODE.frameSize),
  ],
  ['PRIORITY_UPDATE of as many streams as may be open is accepted', '§7.1', [...updates(100), get], response(1)],
  [
    'PRIORITY_UPDATE of more streams than may be open is an error',
    '§7.1',
    [settings(), frame(FRAME.settings, 1, 0), ...updates(101)],
    connectionError(CODE.protocol),
  ],
  [
    'PUSH_PROMISE of a client is an error',
    '§8.4',
    [get, frame(FRAME.pushPromise, END_HEADERS, 1, Buffer.concat([uint32(2), block]))],
    connectionError(CODE.protocol),
  ],
];

testCases(start, CASES);

for (const [name, bytes] of [
  ['one frame at a time', []],
  ['one byte at a time', null],
] as const) {
  test(`a request is understood ${name}`, async (t) => {
    const scene = await start();
    const client = await FrameClient.connect(t, scene.port);
    client.socket.setNoDelay(true);
    const all = [headers(1, asking('/', 'POST'), END_HEADERS), data(1, 'abc', 0), data(1, 'def')];
    if (bytes === null) for (const byte of Buffer.concat(all)) client.socket.write(Buffer.from([byte]));
    else for (const each of all) client.socket.write(each);
    assert.equal((await client.response(1)).status, 200);
    assert.deepEqual(
      scene.requests().map(({ body }) => body),
      ['abcdef'],
    );
  });
}

for (const [name, opening] of [
  ['without settings', PREFACE],
  ['with a PING before settings', Buffer.concat([PREFACE, ping()])],
  ['with a request before settings', Buffer.concat([PREFACE, headers(1, asking(BAD))])],
  ['with the acknowledgement of settings first', Buffer.concat([PREFACE, frame(FRAME.settings, 1, 0)])],
] as const) {
  if (opening.length === PREFACE.length) continue;
  test(`a preface ${name} is an error (RFC 9113 §3.4)`, async (t) => {
    const scene = await start();
    const client = await FrameClient.connect(t, scene.port, opening);
    assert.equal(await client.goawayCode(), CODE.protocol);
    await client.isClosed();
    assert.ok(!scene.targets().includes(BAD));
  });
}

test('what begins like a preface and is none is not served (RFC 9113 §3.4)', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port, Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r!GET '));
  await client.isClosed();
  assert.deepEqual(scene.targets(), []);
});

test('the router’s first frame is SETTINGS, and it acknowledges ours (RFC 9113 §3.4, §6.5.3)', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port, Buffer.concat([PREFACE, settings([0x0abc, 1])]));
  await client.find(({ type, flags }) => type === FRAME.settings && flags === 1);
  assert.deepEqual([client.frames[0]?.type, client.frames[0]?.flags], [FRAME.settings, 0]);
  await client.isWell();
});
