/** HTTP/2's field blocks: their compression (RFC 7541), and CONTINUATION (RFC 9113 §4.3, §6.10). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HpackEncoder } from '../../lib/http2/hpack/encoder.ts';
import {
  BAD,
  connectionError,
  type FrameCase,
  FrameClient,
  response,
  streamError,
  testCases,
} from '../support/frame-cases.ts';
import {
  asking,
  CODE,
  continuation,
  data,
  type Fields,
  headers,
  priority,
  reset,
  settings,
} from '../support/frames.ts';
import { END_HEADERS, END_STREAM, fieldBlock, FRAME, frame } from '../support/http2.ts';
import { valuesOf } from '../support/wire.ts';
import { shareFrameScene } from './frame-scene.ts';

const start = shareFrameScene();

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const block = fieldBlock(asking('/'));
const bad = fieldBlock(asking(BAD));
const [begin, middle, end] = [block.subarray(0, 5), block.subarray(5, 20), block.subarray(20)] as const;
/** A request whose block ends with these bytes. */
const withEnd = (digits: string): Buffer[] => [headers(1, Buffer.concat([bad, hex(digits)]))];
const broken = connectionError(CODE.compression);
const within = connectionError(CODE.protocol);

const CASES: readonly FrameCase[] = [
  ['index 0 is an error', 'RFC 7541 §6.1', withEnd('80'), broken],
  ['an index behind the tables is an error', 'RFC 7541 §2.3.3', withEnd('be'), broken],
  ['a name of an index behind the tables is an error', 'RFC 7541 §2.3.3', withEnd('7f00 0161'), broken],
  ['an index that is cut is an error', 'RFC 7541 §5.1', withEnd('ff'), broken],
  ['an endless integer is an error', 'RFC 7541 §5.1', withEnd('ff8080808080808080808080'), broken],
  ['a value that is longer than the block is an error', 'RFC 7541 §5.2', withEnd('0001 6105 61'), broken],
  ['Huffman padding of eight bits is an error', 'RFC 7541 §5.2', withEnd('0001 6182 1fff'), broken],
  ['Huffman padding of zeros is an error', 'RFC 7541 §5.2', withEnd('0001 6181 18'), broken],
  ['the Huffman end of the string is an error', 'RFC 7541 §5.2', withEnd('0001 6184 ffff ffff'), broken],
  [
    'a table size above the announced one is an error',
    'RFC 7541 §6.3',
    [headers(1, Buffer.concat([hex('3fe21f'), bad]))],
    broken,
  ],
  ['a table size behind a field is an error', 'RFC 7541 §4.2', withEnd('20'), broken],
  [
    'a table size at the begin of a block is accepted',
    'RFC 7541 §4.2',
    [headers(1, Buffer.concat([hex('20'), block]))],
    response(1),
  ],
  [
    'two table sizes at the begin of a block are accepted',
    'RFC 7541 §4.2',
    [headers(1, Buffer.concat([hex('20 3fe11f'), block]))],
    response(1),
  ],
  [
    'a broken block of trailers is an error',
    'RFC 9113 §4.3',
    [headers(1, asking(BAD, 'POST'), END_HEADERS), headers(1, hex('80'))],
    broken,
  ],
  [
    'a broken block on a stream that was reset is an error',
    '§4.3',
    [headers(1, asking(BAD, 'POST'), END_HEADERS), reset(1), headers(1, hex('80'))],
    broken,
    connectionError(CODE.streamClosed),
    streamError(1, CODE.streamClosed),
  ],
  [
    'a block that needs the table of a refused request is understood',
    '§4.3',
    [
      headers(1, Buffer.concat([hex('4001 6101 62'), fieldBlock([['X-UPPER', '1']])])),
      headers(3, Buffer.concat([block, hex('be')])),
    ],
    streamError(1, CODE.protocol),
  ],
  ['an empty block is an error of the stream', '§8.3.1', [headers(1, Buffer.alloc(0))], streamError(1, CODE.protocol)],

  [
    'a block in three frames is one request',
    '§6.10',
    [headers(1, begin, END_STREAM), continuation(1, middle, 0), continuation(1, end)],
    response(1),
  ],
  [
    'a block in six frames is one request',
    '§6.10',
    [
      headers(1, block.subarray(0, 1), END_STREAM),
      ...[1, 4, 12, 13].map((at, i, all) => continuation(1, block.subarray(at, all[i + 1]), 0)),
      continuation(1, Buffer.alloc(0)),
    ],
    response(1),
  ],
  [
    'a HEADERS frame without a byte may be continued',
    '§6.10',
    [headers(1, Buffer.alloc(0), END_STREAM), continuation(1, block)],
    response(1),
  ],
  [
    'trailers in two frames are accepted',
    '§6.10',
    [
      headers(1, asking('/', 'POST'), END_HEADERS),
      data(1, 'a', 0),
      headers(1, Buffer.alloc(0), END_STREAM),
      continuation(1, fieldBlock([['x-sum', '1']])),
    ],
    response(1),
  ],

  ['DATA within a block is an error', '§6.2', [headers(1, bad, END_STREAM), data(1, 'a')], within],
  ['HEADERS within a block is an error', '§6.2', [headers(1, bad, END_STREAM), headers(3, asking(BAD))], within],
  ['PRIORITY within a block is an error', '§4.3', [headers(1, bad, END_STREAM), priority(1)], within],
  ['RST_STREAM within a block is an error', '§4.3', [headers(1, bad, END_STREAM), reset(1)], within],
  [
    'SETTINGS within a block is an error',
    '§6.10',
    [headers(1, bad, END_STREAM), continuation(1, Buffer.alloc(0), 0), settings()],
    within,
  ],
  [
    'CONTINUATION of another stream is an error',
    '§6.10',
    [headers(1, bad, END_STREAM), continuation(3, Buffer.alloc(0))],
    within,
  ],
  [
    'CONTINUATION of stream 0 is an error',
    '§6.10',
    [headers(1, bad, END_STREAM), continuation(0, Buffer.alloc(0))],
    within,
  ],
  [
    'CONTINUATION without a block is an error',
    '§6.10',
    [headers(1, asking('/hold')), continuation(1, Buffer.alloc(0))],
    connectionError(CODE.protocol, CODE.streamClosed),
  ],
  [
    'CONTINUATION after the end of a block is an error',
    '§6.10',
    [
      headers(1, bad.subarray(0, 5), END_STREAM),
      continuation(1, fieldBlock(asking('/hold')).subarray(5)),
      continuation(1, Buffer.alloc(0)),
    ],
    connectionError(CODE.protocol, CODE.streamClosed),
  ],
  [
    'CONTINUATION after DATA is an error',
    '§6.10',
    [headers(1, asking(BAD, 'POST'), END_HEADERS), data(1, 'a', 0), continuation(1, fieldBlock([['x-sum', '1']]))],
    within,
  ],
];

testCases(start, CASES);

test('references to a large field cost the router no memory: the request is too large, and the connection is of use', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  // One field of 4,000 bytes, and 30,000 references to it: 120 MB.
  const large = Buffer.concat([hex('4003 782d61 7fa11e'), Buffer.alloc(4_000, 'a')]);
  client.send(
    headers(1, Buffer.concat([bad, large]), END_STREAM),
    continuation(1, Buffer.alloc(15_000, 0xbe), 0),
    continuation(1, Buffer.alloc(15_000, 0xbe)),
  );
  assert.equal((await client.response(1)).status, 431);
  assert.ok(!scene.targets().includes(BAD));
  await client.isWell();
});

test('every way to encode a field is understood (RFC 7541 §6)', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  const ways: readonly (readonly [block: string, name: string, value: string])[] = [
    ['50 03 612f62', 'accept-encoding', 'a/b'],
    ['be', 'accept-encoding', 'a/b'],
    ['4003 782d61 0162', 'x-a', 'b'],
    ['be', 'x-a', 'b'],
    ['bf', 'accept-encoding', 'a/b'],
    ['0f02 0162', 'accept-language', 'b'],
    ['0003 782d62 0163', 'x-b', 'c'],
    ['1f02 0163', 'accept-language', 'c'],
    ['1003 782d63 0164', 'x-c', 'd'],
    ['90', 'accept-encoding', 'gzip, deflate'],
    ['20 3fe11f', '', ''],
  ];
  let stream = 1;
  for (const [way, name, value] of ways) {
    const isUpdate = name === '';
    client.send(headers(stream, Buffer.concat(isUpdate ? [hex(way), block] : [block, hex(way)])));
    assert.equal((await client.response(stream)).status, 200);
    const [seen] = scene.requests();
    assert.ok(seen);
    if (!isUpdate) assert.deepEqual(valuesOf(seen, name), [value], way);
    stream += 2;
  }
});

test('fields in the Huffman code and from the table are forwarded as they were', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  const encoder = new HpackEncoder();
  const fields: Fields = [
    ['content-type', 'text/html; charset=utf-8'],
    ['cache-control', 'no-cache'],
    ['x-\u007e', 'h\u00e9llo'],
  ];
  for (const stream of [1, 3, 5]) {
    const into = Buffer.alloc(1_000);
    let at = 0;
    for (const [name, value] of asking('/', 'GET', fields)) at = encoder.field(into, at, name, value);
    client.send(frame(FRAME.headers, END_STREAM | END_HEADERS, stream, into.subarray(0, at)));
    assert.equal((await client.response(stream)).status, 200);
    const [seen] = scene.requests();
    assert.ok(seen);
    for (const [name, value] of fields) assert.deepEqual(valuesOf(seen, name), [value]);
  }
});
