/** Bodies in many small DATA frames: they arrive whole, and cost little memory (RFC 9113 §10.5). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { FrameClient } from '../support/frame-cases.ts';
import { asking, data, headers } from '../support/frames.ts';
import { END_HEADERS } from '../support/http2.ts';
import { noProc, residentBytes, workersOf } from '../support/processes.ts';
import { startRouter } from '../support/router.ts';
import { shareFrameScene } from './frame-scene.ts';

const HTTP2 = { config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } } };
const start = shareFrameScene();
const STREAMS = 20;
/** Within a stream's window. */
const FRAMES = 40_000;
/** How much a worker may grow, bytes: what the windows allow, with what Node keeps of short-lived objects. */
const GROWTH = 200_000_000;

test(
  'bodies in frames of one byte, for a backend that does not read, cost little more memory than their bytes',
  { skip: noProc },
  async (t) => {
    const sockets: Socket[] = [];
    const backend = await startRawBackend(t, (socket) => sockets.push(socket.pause()));
    const router = await startRouter(t, { ...HTTP2, routes: { 'site.test': ['site', backend.url] } });
    const memory = (): number => workersOf(router).reduce((sum, pid) => sum + residentBytes(pid), 0);
    const before = memory();
    const client = await FrameClient.connect(t, router.port);
    const ids = Array.from({ length: STREAMS }, (_, i) => 2 * i + 1);
    for (const id of ids) client.send(headers(id, asking('/', 'POST'), END_HEADERS));
    const thousands = ids.map((id) => Buffer.concat(Array.from({ length: 1_000 }, () => data(id, 'x', 0))));
    for (let sent = 0; sent < FRAMES; sent += 1_000) {
      client.send(...thousands);
      if (client.socket.writableNeedDrain) await once(client.socket, 'drain');
    }
    await client.isRead();
    // The frames may all be read before this process accepts a connection.
    await eventually(() => assert.ok(sockets.length > 0, 'a connection to the backend'));
    const growth = memory() - before;
    assert.ok(growth < GROWTH, `${Math.round(growth / 1e6)} MB for ${(STREAMS * FRAMES) / 1e6} MB`);
  },
);

test('bodies in small frames, mixed with those of others, arrive whole and in order', async (t) => {
  const scene = await start();
  const client = await FrameClient.connect(t, scene.port);
  const ids = [1, 3, 5];
  const sent = new Map(ids.map((id) => [id, '']));
  client.send(...ids.map((id) => headers(id, asking(`/${id}`, 'POST'), END_HEADERS)));
  for (let i = 0; i < 600; i++) {
    const frames = ids.map((id) => {
      // Around the length from which frames are not joined, now and then.
      const text = String.fromCharCode(97 + (i % 26)).repeat(i % 50 === 0 ? 1_000 + i : 1 + (i % 6));
      sent.set(id, `${sent.get(id)}${text}`);
      return data(id, text, 0);
    });
    client.send(...frames);
    if (i % 20 === 0) await client.isRead(`round${100 + i / 20}`);
  }
  client.send(...ids.map((id) => data(id, '')));
  for (const id of ids) assert.equal((await client.response(id)).status, 200);
  const seen = scene.requests();
  for (const id of ids) assert.equal(seen.find(({ target }) => target === `/${id}`)?.body, sent.get(id));
  await client.isWell();
});
