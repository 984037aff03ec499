/** The states of HTTP/2 streams, their ids and their number (RFC 9113 §5.1), and RST_STREAM (§6.4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BAD,
  connectionError,
  type FrameCase,
  FrameClient,
  ignored,
  response,
  streamError,
  testCases,
} from '../support/frame-cases.ts';
import {
  asking,
  CODE,
  continuation,
  data,
  dependency,
  headers,
  priority,
  reset,
  windowUpdate,
} from '../support/frames.ts';
import { END_HEADERS, END_STREAM, fieldBlock, FRAME, frame } from '../support/http2.ts';
import { shareFrameScene } from './frame-scene.ts';

const start = shareFrameScene();
/** The number of streams that the router allows. */
const MAX_STREAMS = 100;

const get = headers(1, asking('/'));
/** A request without a response. */
const held = headers(1, asking('/hold'));
const open = headers(1, asking(BAD, 'POST'), END_HEADERS);
const trailers = fieldBlock([['x-sum', '1']]);
const closed = [streamError(1, CODE.streamClosed), connectionError(CODE.streamClosed)] as const;

/** Sends a request, waits for its response, and sends these frames. */
const afterResponse =
  (...frames: readonly Buffer[]) =>
  async (client: FrameClient): Promise<void> => {
    client.send(get);
    await client.response(1);
    await client.isRead('is empty');
    client.send(...frames);
  };

const CASES: readonly FrameCase[] = [
  ['DATA on an idle stream is an error', 'RFC 9113 §5.1', [data(1, 'a')], connectionError(CODE.protocol)],
  ['RST_STREAM on an idle stream is an error', '§6.4', [reset(1)], connectionError(CODE.protocol)],
  ['WINDOW_UPDATE on an idle stream is an error', '§5.1', [windowUpdate(1, 100)], connectionError(CODE.protocol)],
  ['CONTINUATION on an idle stream is an error', '§6.10', [continuation(1, trailers)], connectionError(CODE.protocol)],
  [
    'PRIORITY on an idle stream is ignored',
    '§5.1',
    [priority(1, dependency(0, 256)), priority(3, dependency(1, 1, true)), get],
    response(1),
  ],
  ['a request below a stream that had a PRIORITY only is served', '§5.1.1', [priority(9), get], response(1)],

  ['DATA after the end of a request is an error', '§5.1', [held, data(1, 'a')], ...closed],
  ['HEADERS after the end of a request is an error', '§5.1', [held, headers(1, trailers)], ...closed],
  [
    'CONTINUATION after the end of a request is an error',
    '§6.10',
    [held, continuation(1, trailers)],
    connectionError(CODE.protocol, CODE.streamClosed),
  ],
  ['WINDOW_UPDATE after the end of a request is accepted', '§5.1', [get, windowUpdate(1, 100)], response(1)],
  ['PRIORITY after the end of a request is ignored', '§5.1', [get, priority(1)], response(1)],
  ['RST_STREAM after the end of a request ends it', '§5.1', [held, reset(1)], ignored],

  ['DATA after the client’s RST_STREAM is an error', '§5.1', [open, reset(1), data(1, 'a')], ...closed],
  ['HEADERS after the client’s RST_STREAM is an error', '§5.1', [open, reset(1), headers(1, trailers)], ...closed],
  [
    'CONTINUATION after the client’s RST_STREAM is an error',
    '§6.10',
    [open, reset(1), continuation(1, trailers)],
    connectionError(CODE.protocol, CODE.streamClosed),
  ],
  ['WINDOW_UPDATE after the client’s RST_STREAM is harmless', '§5.1', [open, reset(1), windowUpdate(1, 100)], ignored],
  ['a second RST_STREAM is harmless', '§5.1', [open, reset(1), reset(1)], ignored],
  ['PRIORITY after the client’s RST_STREAM is ignored', '§5.1', [open, reset(1), priority(1)], ignored],

  ['DATA on a closed stream is an error', '§5.1', afterResponse(data(1, 'a')), ...closed],
  [
    'HEADERS on a closed stream is an error',
    '§5.1',
    afterResponse(headers(1, asking(BAD))),
    connectionError(CODE.streamClosed, CODE.protocol),
    streamError(1, CODE.streamClosed),
  ],
  [
    'CONTINUATION on a closed stream is an error',
    '§6.10',
    afterResponse(continuation(1, trailers)),
    connectionError(CODE.streamClosed, CODE.protocol),
  ],
  ['PRIORITY on a closed stream is ignored', '§5.1', afterResponse(priority(1), headers(3, asking('/'))), response(3)],
  [
    'WINDOW_UPDATE on a closed stream is ignored',
    '§5.1',
    afterResponse(windowUpdate(1, 1), headers(3, asking('/'))),
    response(3),
  ],
  ['RST_STREAM on a closed stream is ignored', '§5.1', afterResponse(reset(1), headers(3, asking('/'))), response(3)],

  ['an even stream id is an error', '§5.1.1', [headers(2, asking(BAD))], connectionError(CODE.protocol)],
  ['DATA on an even stream id is an error', '§5.1.1', [data(2, 'a')], connectionError(CODE.protocol)],
  ['RST_STREAM of an even stream id is an error', '§5.1.1', [reset(2)], connectionError(CODE.protocol)],
  ['WINDOW_UPDATE of an even stream id is an error', '§5.1.1', [windowUpdate(2, 1)], connectionError(CODE.protocol)],
  [
    'a stream id below an earlier one is an error',
    '§5.1.1',
    [headers(5, asking('/hold')), headers(3, asking(BAD))],
    connectionError(CODE.protocol, CODE.streamClosed),
  ],
  ['stream ids may be left out', '§5.1.1', [headers(7, asking('/hold')), headers(101, asking('/'))], response(101)],
  [
    'the highest stream id is served',
    '§5.1.1',
    async (client) => {
      client.send(headers(0x7fff_ffff, asking('/')));
      assert.equal((await client.response(0x7fff_ffff)).status, 200);
      // No request can follow it, but one that follows is refused.
      client.send(headers(1, asking(BAD)));
    },
    connectionError(CODE.protocol, CODE.streamClosed),
  ],

  ['RST_STREAM of stream 0 is an error', '§6.4', [reset(0)], connectionError(CODE.protocol)],
  [
    'RST_STREAM of three bytes is an error',
    '§6.4',
    [open, frame(FRAME.reset, 0, 1, Buffer.alloc(3))],
    connectionError(CODE.frameSize),
  ],
  [
    'RST_STREAM of five bytes is an error',
    '§6.4',
    [open, frame(FRAME.reset, 0, 1, Buffer.alloc(5))],
    connectionError(CODE.frameSize),
  ],
  ['RST_STREAM with an unknown code ends the stream', '§7', [open, reset(1, 0xff)], ignored],
  ['RST_STREAM without an error ends the stream', '§7', [open, reset(1, CODE.none)], ignored],

  [
    'a stream above the announced number is refused, and the others go on',
    '§5.1.2',
    (client) => {
      for (let i = 0; i < MAX_STREAMS; i++) client.send(headers(2 * i + 1, asking('/hold')));
      const above = 2 * MAX_STREAMS + 1;
      client.send(headers(above, asking(BAD)));
      // Places at the backend for what follows.
      for (let i = 0; i < MAX_STREAMS / 2; i++) client.send(reset(2 * i + 1));
    },
    streamError(2 * MAX_STREAMS + 1, CODE.refused),
  ],

  [
    'PRIORITY of a stream that depends on itself is an error of the stream, or ignored',
    '§5.3.2',
    [priority(1, dependency(1)), headers(3, asking('/'))],
    response(3),
    connectionError(CODE.protocol),
  ],
  [
    'HEADERS of a stream that depends on itself is an error of the stream, or ignored',
    '§5.3.2',
    [frame(FRAME.headers, END_HEADERS | END_STREAM | 0x20, 1, Buffer.concat([dependency(1), fieldBlock(asking('/'))]))],
    response(1),
    streamError(1, CODE.protocol),
    connectionError(CODE.protocol),
  ],
  [
    'PRIORITY of four bytes is an error of the stream',
    '§6.3',
    [held, frame(FRAME.priority, 0, 1, Buffer.alloc(4))],
    streamError(1, CODE.frameSize),
    connectionError(CODE.frameSize),
  ],
  [
    'PRIORITY of six bytes on an idle stream is an error',
    '§6.3',
    [frame(FRAME.priority, 0, 1, Buffer.alloc(6))],
    streamError(1, CODE.frameSize),
    connectionError(CODE.frameSize),
  ],
];

testCases(start, CASES);

test('a client that always uses all streams gets every response', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  const total = 3 * MAX_STREAMS;
  let next = 0;
  const ask = (): void => client.send(headers(2 * next++ + 1, asking('/')));
  for (let i = 0; i < MAX_STREAMS; i++) ask();
  for (let i = 0; i < total; i++) {
    // As soon as a response has ended, in whatever order.
    await client.find(() => {
      const ended = Array.from({ length: next }, (_, n) => client.received(2 * n + 1).hasEnded).filter(Boolean).length;
      return ended > i;
    });
    if (next < total) ask();
  }
  for (let i = 0; i < total; i++) assert.equal(client.received(2 * i + 1).status, 200);
  await client.isWell();
});

test('a stream that the client has reset is the backend’s no more, and its place is free', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  for (let i = 0; i < MAX_STREAMS; i++) client.send(headers(2 * i + 1, asking('/hold')));
  await client.isRead();
  for (let i = 0; i < MAX_STREAMS; i++) client.send(reset(2 * i + 1));
  for (let i = MAX_STREAMS; i < 2 * MAX_STREAMS; i++) client.send(headers(2 * i + 1, asking('/')));
  for (let i = MAX_STREAMS; i < 2 * MAX_STREAMS; i++) assert.equal((await client.response(2 * i + 1)).status, 200);
  await client.isWell();
});
