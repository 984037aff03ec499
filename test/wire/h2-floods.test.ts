/** Clients that cause work and need none (RFC 9113 §10.5): each loses its connection, and other clients are served. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { FrameClient } from '../support/frame-cases.ts';
import {
  asking,
  CODE,
  continuation,
  data,
  dependency,
  headers,
  ping,
  priority,
  reset,
  SETTING,
  settings,
  uint32,
  windowUpdate,
} from '../support/frames.ts';
import { END_HEADERS, fieldBlock, FRAME, frame, PREFACE } from '../support/http2.ts';
import { LARGE, shareFrameScene } from './frame-scene.ts';

const start = shareFrameScene();
/** More frames than any client needs at once. */
const FRAMES = 40_000;
/** How many are sent in one write. */
const BATCH = 200;
/** The maximum size of a frame. */
const FRAME_BYTES = 16_384;

const open = headers(1, asking('/hold', 'POST'), END_HEADERS);
const held = headers(1, asking('/hold'));

/** What is sent first, and then again and again. */
const FLOODS: readonly (readonly [name: string, first: readonly Buffer[], next: (i: number) => Buffer])[] = [
  ['opens streams and resets them', [], (i) => Buffer.concat([headers(2 * i + 1, asking('/hold')), reset(2 * i + 1)])],
  [
    'opens streams, and resets them when they are on their way',
    [],
    (i) => Buffer.concat([headers(2 * i + 1, asking('/hold')), ...(i < 50 ? [] : [reset(2 * (i - 50) + 1)])]),
  ],
  ['opens streams that make the router reset them', [], (i) => headers(2 * i + 1, [[':method', 'GET']])],
  [
    'opens streams, and makes the router reset them by a WINDOW_UPDATE',
    [],
    (i) => Buffer.concat([headers(2 * i + 1, asking('/hold')), windowUpdate(2 * i + 1, 0)]),
  ],
  [
    'opens streams, and makes the router reset them by their window',
    [],
    (i) => Buffer.concat([headers(2 * i + 1, asking('/hold')), windowUpdate(2 * i + 1, 0x7fff_ffff)]),
  ],
  [
    'opens streams above their number',
    [...Array(100).keys()].map((i) => headers(2 * i + 1, asking('/hold'))),
    (i) => headers(2 * i + 201, asking('/hold')),
  ],
  [
    'sends CONTINUATION without end',
    [headers(1, fieldBlock(asking('/')), 0)],
    () => continuation(1, fieldBlock([['x-a', 'a']]), 0),
  ],
  [
    'sends CONTINUATION without bytes',
    [headers(1, fieldBlock(asking('/')), 0)],
    () => continuation(1, Buffer.alloc(0), 0),
  ],
  [
    'sends large CONTINUATION',
    [headers(1, fieldBlock(asking('/')), 0)],
    () => continuation(1, Buffer.alloc(FRAME_BYTES, 0x82), 0),
  ],
  ['sends PINGs', [], () => ping()],
  ['sends SETTINGS', [], () => settings()],
  ['changes its windows', [held], (i) => settings([SETTING.window, i])],
  ['sends PRIORITY', [], (i) => priority(2 * i + 1, dependency(0))],
  ['sends PRIORITY_UPDATE', [], () => frame(0x10, 0, 0, Buffer.concat([uint32(1), Buffer.from('u=1')]))],
  ['sends DATA without bytes', [open], () => data(1, '', 0)],
  ['sends DATA of padding alone', [open], () => frame(FRAME.data, 8, 1, Buffer.from([0]))],
  ['sends WINDOW_UPDATE for the connection', [], () => windowUpdate(0, 1)],
  ['sends WINDOW_UPDATE for a stream', [held], () => windowUpdate(1, 1)],
  ['sends unknown frames', [], () => frame(0xee, 0, 0)],
];

for (const [name, first, next] of FLOODS) {
  test(`a client that ${name} loses its connection, with ENHANCE_YOUR_CALM`, async (t) => {
    const { port, router } = await start();
    const client = await FrameClient.connect(t, port);
    client.send(...first);
    for (let i = 0; i < FRAMES && client.socket.writable; i += BATCH) {
      client.send(...Array.from({ length: BATCH }, (_, n) => next(i + n)));
      // Until the router has read it, or has closed the connection.
      if (client.socket.writableNeedDrain)
        await new Promise((resolve) => {
          client.socket.once('drain', resolve);
          client.socket.once('close', resolve);
        });
      else await new Promise(setImmediate);
    }
    assert.equal(await client.goawayCode(), CODE.calm);
    await client.isClosed();
    await (await FrameClient.connect(t, port)).isWell();
    assert.deepEqual(
      router.log.filter(({ event }) => event === 'worker-died' || event === 'worker-stuck'),
      [],
    );
  });
}

test('a client that does not read the replies to its PINGs loses its connection, and costs little memory', async (t) => {
  const { port } = await start();
  const client = await FrameClient.connect(t, port);
  client.socket.pause();
  const isEnded = new Promise<void>((resolve) => client.socket.once('close', () => resolve()));
  for (let i = 0; i < FRAMES && client.socket.writable; i += BATCH) {
    client.send(...Array.from({ length: BATCH }, () => ping()));
    await new Promise(setImmediate);
  }
  client.socket.resume();
  await eventually(() => assert.ok(client.socket.closed));
  await isEnded;
  await (await FrameClient.connect(t, port)).isWell();
});

test('clients that keep their windows closed hold back no others, and their streams’ places are free when they reset them', async (t) => {
  const { port } = await start();
  const opening = Buffer.concat([PREFACE, settings([SETTING.window, 0])]);
  const holders = await Promise.all(Array.from({ length: 5 }, () => FrameClient.connect(t, port, opening)));
  for (const each of holders) for (let i = 0; i < 8; i++) each.send(headers(2 * i + 1, asking('/large')));
  await (await FrameClient.connect(t, port)).isWell();
  for (const each of holders) {
    for (let i = 0; i < 8; i++) each.send(reset(2 * i + 1));
    each.send(settings([SETTING.window, LARGE]), windowUpdate(0, LARGE), headers(201, asking('/large')));
    assert.equal((await each.response(201)).body.length, LARGE);
  }
});
