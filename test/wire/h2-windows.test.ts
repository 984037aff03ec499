/** HTTP/2's flow control (RFC 9113 §5.2, §6.9). */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  connectionError,
  type FrameCase,
  FrameClient,
  response,
  streamError,
  testCases,
} from '../support/frame-cases.ts';
import { asking, CODE, data, headers, reset, SETTING, settings, windowUpdate } from '../support/frames.ts';
import { END_HEADERS, FRAME, frame, PREFACE } from '../support/http2.ts';
import { LARGE, shareFrameScene } from './frame-scene.ts';

const start = shareFrameScene();
const MAX_WINDOW = 0x7fff_ffff;
/** The initial windows of a connection and of its streams. */
const INITIAL = 65_535;

const held = headers(1, asking('/hold'));
const large = headers(1, asking('/large'));

const CASES: readonly FrameCase[] = [
  [
    'a WINDOW_UPDATE of 0 for the connection is an error',
    'RFC 9113 §6.9',
    [windowUpdate(0, 0)],
    connectionError(CODE.protocol),
  ],
  [
    'a WINDOW_UPDATE of 0 for a stream is an error of the stream',
    '§6.9',
    [held, windowUpdate(1, 0)],
    streamError(1, CODE.protocol),
    connectionError(CODE.protocol),
  ],
  [
    'a WINDOW_UPDATE of three bytes is an error',
    '§6.9',
    [frame(FRAME.windowUpdate, 0, 0, Buffer.alloc(3))],
    connectionError(CODE.frameSize),
  ],
  [
    'a WINDOW_UPDATE of five bytes for a stream is an error',
    '§6.9',
    [held, frame(FRAME.windowUpdate, 0, 1, Buffer.alloc(5))],
    connectionError(CODE.frameSize),
  ],
  [
    'the reserved bit of an increment is ignored',
    '§6.9',
    [headers(1, asking('/')), frame(FRAME.windowUpdate, 0, 0, Buffer.from([0x80, 0, 0, 1]))],
    response(1),
  ],
  [
    'a connection’s window above 2^31 - 1 is an error',
    '§6.9.1',
    [windowUpdate(0, MAX_WINDOW), windowUpdate(0, MAX_WINDOW)],
    connectionError(CODE.flowControl),
  ],
  [
    'a connection’s window above 2^31 - 1 by one is an error',
    '§6.9.1',
    [windowUpdate(0, MAX_WINDOW - INITIAL), windowUpdate(0, 1)],
    connectionError(CODE.flowControl),
  ],
  [
    'a connection’s window of 2^31 - 1 is accepted',
    '§6.9.1',
    [windowUpdate(0, MAX_WINDOW - INITIAL), headers(1, asking('/'))],
    response(1),
  ],
  [
    'a stream’s window above 2^31 - 1 is an error of the stream',
    '§6.9.1',
    [held, windowUpdate(1, MAX_WINDOW), windowUpdate(1, 1)],
    streamError(1, CODE.flowControl),
  ],
  [
    'a stream’s window of 2^31 - 1 is accepted',
    '§6.9.1',
    [large, windowUpdate(1, MAX_WINDOW - INITIAL), windowUpdate(0, MAX_WINDOW - INITIAL)],
    response(1),
  ],
  [
    'an initial window that makes a stream’s too large is an error',
    '§6.9.2',
    [held, windowUpdate(1, 1), settings([SETTING.window, MAX_WINDOW])],
    connectionError(CODE.flowControl),
  ],
  [
    'a response larger than both windows comes when both are opened',
    '§6.9.1',
    [large, windowUpdate(1, LARGE), windowUpdate(0, LARGE)],
    response(1),
  ],
];

testCases(start, CASES);

async function connectWith(t: TestContext, window: number): Promise<FrameClient> {
  const { port } = await start();
  return await FrameClient.connect(t, port, Buffer.concat([PREFACE, settings([SETTING.window, window])]));
}

/** Resolves when a stream has a body of exactly this length, and the router has read everything sent before. */
async function hasExactly(client: FrameClient, stream: number, length: number): Promise<void> {
  await client.find(() => client.received(stream).body.length >= length);
  await client.isRead(`ask ${(length % 9999).toString().padStart(4, '0')}`);
  assert.equal(client.received(stream).body.length, length);
}

test('a response comes byte by byte if the window is opened so (§6.9.1)', async (t) => {
  const client = await connectWith(t, 1);
  client.send(headers(1, asking('/')));
  await hasExactly(client, 1, 1);
  client.send(windowUpdate(1, 1));
  const { body, status } = await client.response(1);
  assert.deepEqual([status, body], [200, 'ok']);
});

test('without a window the head of a response comes, and its body when the window is opened (§6.9.2)', async (t) => {
  const client = await connectWith(t, 0);
  client.send(headers(1, asking('/')));
  await client.find(({ type }) => type === FRAME.headers);
  await hasExactly(client, 1, 0);
  client.send(settings([SETTING.window, 1]));
  await hasExactly(client, 1, 1);
  client.send(settings([SETTING.window, 2]));
  assert.equal((await client.response(1)).body, 'ok');
});

test('a window can become negative, and then must be opened above zero (§6.9.2)', async (t) => {
  const client = await connectWith(t, 1000);
  client.send(headers(1, asking('/large')));
  await hasExactly(client, 1, 1000);
  client.send(settings([SETTING.window, 0]), windowUpdate(1, 1000));
  await hasExactly(client, 1, 1000);
  client.send(windowUpdate(1, 7));
  await hasExactly(client, 1, 1007);
  client.send(settings([SETTING.window, 100]));
  await hasExactly(client, 1, 1107);
});

test('no more than the connection’s window is sent, whatever the streams’ are (§6.9.1)', async (t) => {
  const client = await connectWith(t, MAX_WINDOW);
  client.send(headers(1, asking('/large')), headers(3, asking('/large')));
  const total = (): number => client.received(1).body.length + client.received(3).body.length;
  await client.find(() => total() >= INITIAL);
  await client.isRead();
  assert.equal(total(), INITIAL);
  client.send(reset(1));
  client.send(windowUpdate(0, 2 * LARGE));
  assert.equal((await client.response(3)).body.length, LARGE);
});

test('a stream whose window is closed holds back no other (§5.2.1)', async (t) => {
  const client = await connectWith(t, 10);
  client.send(headers(1, asking('/large')));
  await hasExactly(client, 1, 10);
  for (const stream of [3, 5, 7]) {
    client.send(headers(stream, asking('/')));
    assert.equal((await client.response(stream)).body, 'ok');
  }
  client.send(windowUpdate(1, LARGE), windowUpdate(0, LARGE));
  assert.equal((await client.response(1)).body.length, LARGE);
});

test('frames are as large as the client allows, and no larger (§4.2)', async (t) => {
  const client = await connectWith(t, MAX_WINDOW);
  client.send(windowUpdate(0, LARGE), headers(1, asking('/large')));
  assert.equal((await client.response(1)).body.length, LARGE);
  assert.ok(client.frames.every(({ payload }) => payload.length <= 16_384));
});

test('an upload larger than all windows comes whole, if the client waits for them (§6.9)', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  const total = 1_000_000;
  client.send(headers(1, asking('/', 'POST', [['content-length', String(total)]]), END_HEADERS));
  await client.isRead();
  let sent = 0;
  const room = (stream: number): number => {
    const updates = client.frames.filter((each) => each.type === FRAME.windowUpdate && each.stream === stream);
    const setting = stream === 0 ? INITIAL : initialWindow(client);
    return updates.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), setting) - sent;
  };
  while (sent < total) {
    await client.find(() => Math.min(room(0), room(1)) > 0);
    const bytes = Math.min(room(0), room(1), total - sent, 16_384);
    client.send(data(1, 'x'.repeat(bytes), sent + bytes === total ? 1 : 0));
    sent += bytes;
  }
  assert.equal((await client.response(1)).status, 200);
  assert.equal(scene.requests()[0]?.body.length, total);
  await client.isWell();
});

test('an upload above a stream’s window is an error (§6.9)', async (t) => {
  const { port } = await start();
  const client = await FrameClient.connect(t, port);
  await client.isRead();
  client.send(headers(1, asking('/hold', 'POST'), END_HEADERS));
  // More than any window that is opened meanwhile: the backend takes none of it before the end.
  const window = initialWindow(client);
  for (let sent = 0; sent <= window + 8 * 1_048_576; sent += 16_384) client.send(data(1, Buffer.alloc(16_384), 0));
  const { type, payload } = await client.find(
    (each) => each.type === FRAME.goaway || (each.type === FRAME.reset && each.stream === 1),
  );
  assert.equal(payload.readUInt32BE(type === FRAME.goaway ? 4 : 0), CODE.flowControl);
});

/** The initial window of streams that the router has announced. */
function initialWindow(client: FrameClient): number {
  const settingsFrame = client.frames.find(({ type, flags }) => type === FRAME.settings && flags === 0);
  const { payload } = settingsFrame ?? { payload: Buffer.alloc(0) };
  for (let at = 0; at < payload.length; at += 6)
    if (payload.readUInt16BE(at) === SETTING.window) return payload.readUInt32BE(at + 2);
  return INITIAL;
}
