/** HTTP/2's SETTINGS, PING and GOAWAY (RFC 9113 §6.5, §6.7, §6.8). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionError, type FrameCase, FrameClient, response, testCases } from '../support/frame-cases.ts';
import { asking, CODE, goaway, headers, ping, SETTING, settings } from '../support/frames.ts';
import { ACK, FRAME, frame, PREFACE } from '../support/http2.ts';
import { shareFrameScene } from './frame-scene.ts';

const start = shareFrameScene();
const get = headers(1, asking('/'));
const MAX_WINDOW = 0x7fff_ffff;

const CASES: readonly FrameCase[] = [
  ['SETTINGS of a stream is an error', 'RFC 9113 §6.5', [frame(FRAME.settings, 0, 1)], connectionError(CODE.protocol)],
  [
    'SETTINGS that is cut is an error',
    '§6.5',
    [frame(FRAME.settings, 0, 0, Buffer.alloc(7))],
    connectionError(CODE.frameSize),
  ],
  [
    'an acknowledgement with a payload is an error',
    '§6.5',
    [frame(FRAME.settings, ACK, 0, Buffer.alloc(6))],
    connectionError(CODE.frameSize),
  ],
  [
    'an acknowledgement of a stream is an error',
    '§6.5',
    [frame(FRAME.settings, ACK, 1)],
    connectionError(CODE.protocol),
  ],
  ['empty SETTINGS are acknowledged', '§6.5', [settings(), get], response(1)],
  ['unknown settings are ignored', '§6.5.2', [settings([0xff, 1], [0, 2], [0xffff, 0xffff_ffff]), get], response(1)],
  ['ENABLE_PUSH of 0 and 1 are accepted', '§6.5.2', [settings([SETTING.push, 0], [SETTING.push, 1]), get], response(1)],
  ['ENABLE_PUSH of 2 is an error', '§6.5.2', [settings([SETTING.push, 2])], connectionError(CODE.protocol)],
  [
    'a window of 2^31 is an error',
    '§6.5.2',
    [settings([SETTING.window, MAX_WINDOW + 1])],
    connectionError(CODE.flowControl),
  ],
  ['a window of 2^31 - 1 is accepted', '§6.5.2', [settings([SETTING.window, MAX_WINDOW]), get], response(1)],
  [
    'a frame size below 2^14 is an error',
    '§6.5.2',
    [settings([SETTING.frameBytes, 16_383])],
    connectionError(CODE.protocol),
  ],
  [
    'a frame size of 2^24 is an error',
    '§6.5.2',
    [settings([SETTING.frameBytes, 16_777_216])],
    connectionError(CODE.protocol),
  ],
  [
    'frame sizes of 2^14 and 2^24 - 1 are accepted',
    '§6.5.2',
    [settings([SETTING.frameBytes, 16_384]), settings([SETTING.frameBytes, 16_777_215]), get],
    response(1),
  ],
  [
    'any number of streams for pushes is accepted',
    '§6.5.2',
    [settings([SETTING.streams, 0]), settings([SETTING.streams, 0xffff_ffff]), get],
    response(1),
  ],
  [
    'any table size is accepted',
    '§6.5.2',
    [settings([SETTING.tableBytes, 0]), get, settings([SETTING.tableBytes, 0xffff_ffff])],
    response(1),
  ],
  ['any list size is accepted', '§6.5.2', [settings([SETTING.listBytes, 0xffff_ffff]), get], response(1)],
  [
    'ENABLE_CONNECT_PROTOCOL of 2 is an error',
    'RFC 8441 §3',
    [settings([SETTING.connect, 2])],
    connectionError(CODE.protocol),
  ],

  ['PING of a stream is an error', '§6.7', [ping('12345678', 0, 1)], connectionError(CODE.protocol)],
  ['PING of seven bytes is an error', '§6.7', [ping('1234567')], connectionError(CODE.frameSize)],
  ['PING of nine bytes is an error', '§6.7', [ping('123456789')], connectionError(CODE.frameSize)],
  ['the reply to a PING that was never sent is ignored', '§6.7', [ping('12345678', ACK), get], response(1)],

  ['GOAWAY of a stream is an error', '§6.8', [goaway(CODE.none, 0, 1)], connectionError(CODE.protocol)],
  [
    'GOAWAY that is cut is an error',
    '§6.8',
    [frame(FRAME.goaway, 0, 0, Buffer.alloc(7))],
    connectionError(CODE.frameSize),
  ],
];

testCases(start, CASES);

test('PINGs are answered in order, each with what it held', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  const payloads = Array.from({ length: 20 }, (_, i) => `ping ${100 + i}`);
  client.send(...payloads.map((each) => ping(each)));
  await client.isRead();
  const replies = client.frames.filter(({ type, flags }) => type === FRAME.ping && flags === ACK);
  assert.deepEqual(
    replies.map(({ payload }) => payload.toString()),
    [...payloads, 'is it ok'],
  );
});

test('each SETTINGS is acknowledged once, before what follows it', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  for (let i = 0; i < 5; i++) client.send(settings([SETTING.window, 70_000 + i]));
  await client.isRead();
  const acks = client.frames.filter(({ type, flags }) => type === FRAME.settings && flags === ACK);
  assert.equal(acks.length, 6, 'with the first of the connection');
});

for (const code of [CODE.none, CODE.protocol, 0xff]) {
  test(`after a client’s GOAWAY with code ${code} its open requests are answered (§6.8, §7)`, async (t) => {
    const scene = await start();
    const client = await FrameClient.connect(t, scene.port);
    client.send(get, goaway(code));
    // Those of no error at least; a client that names an error may not want them any more.
    if (code === CODE.none) assert.equal((await client.response(1)).status, 200);
    client.socket.end();
    await client.isClosed();
    const other = await FrameClient.connect(t, scene.port);
    await other.isWell();
  });
}

test('a response is encoded for a table of the size that the client allows (RFC 7541 §4.2)', async (t) => {
  const scene = await start();
  const opening = Buffer.concat([PREFACE, settings([SETTING.tableBytes, 0])]);
  const client = await FrameClient.connect(t, scene.port, opening);
  for (const stream of [1, 3, 5]) {
    client.send(headers(stream, asking('/')));
    assert.equal((await client.response(stream)).status, 200);
  }
  client.send(settings([SETTING.tableBytes, 65_536]));
  for (const stream of [7, 9]) {
    client.send(headers(stream, asking('/')));
    assert.equal((await client.response(stream)).status, 200);
  }
});
