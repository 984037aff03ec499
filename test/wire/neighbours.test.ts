/** Several sites may name one backend: none of them, with however many clients, takes it from the others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { leaseRouter } from '../support/leased-router.ts';

const SLOTS = 8;
/** Three quarters. */
const SHARE = 6;

/** Both sites have the same backend, and have been used. It answers `/held` never, and uploads when they are whole. */
async function startScene(t: TestContext, kind: 'http' | 'h2c') {
  const seen = { held: 0, uploads: 0 };
  const backend =
    kind === 'http'
      ? await startBackend(t, (request, response) => {
          response.on('error', () => {});
          if (request.method === 'POST') seen.uploads++;
          if (request.url === '/held') seen.held++;
          else request.resume().once('end', () => response.end('ok'));
        })
      : await startHttp2Backend(
          t,
          (stream, headers) => {
            if (headers[':method'] === 'POST') seen.uploads++;
            if (headers[':path'] === '/held') {
              seen.held++;
              return;
            }
            stream.resume().once('end', () => {
              if (stream.destroyed) return;
              stream.respond({ ':status': 200 });
              stream.end('ok');
            });
          },
          { settings: { maxConcurrentStreams: 1 } },
        );
  const router = await leaseRouter(t, {
    routes: { 'greedy.test': ['greedy', backend.url], 'modest.test': ['modest', backend.url] },
    server: { maxSockets: SLOTS, timeouts: { connect: 10 } },
  });
  const { port } = router;
  for (const host of ['greedy.test', 'modest.test']) assert.equal((await ask({ port, host })).status, 200);
  return { port, seen };
}

/** Sends the same from so many clients: a trusted proxy forwards their addresses. */
async function sendFromMany(t: TestContext, port: number, count: number, line: string, rest: string) {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = await dial(port);
    t.after(() => socket.destroy());
    socket.resume();
    socket.write(`${line}\r\nHost: greedy.test\r\nX-Forwarded-For: 192.0.2.${i}\r\n${rest}`);
    sockets.push(socket);
  }
  return sockets;
}

for (const kind of ['http', 'h2c'] as const) {
  test(`a site whose clients wait for responses leaves a quarter of a shared backend's slots, ${kind}`, async (t) => {
    const { port, seen } = await startScene(t, kind);
    await sendFromMany(t, port, 3 * SLOTS, 'GET /held HTTP/1.1', '\r\n');
    await eventually(() => assert.equal(seen.held, SHARE));
    for (let i = 0; i < 10; i++) assert.equal((await ask({ port, host: 'modest.test' })).body, 'ok');
    const answers = Array.from({ length: 10 }, () => ask({ port, host: 'modest.test' }));
    for (const answer of answers) assert.equal((await answer).body, 'ok');
    assert.equal(seen.held, SHARE);
  });

  test(`a site with slow uploads leaves a shared backend to those of another, ${kind}`, async (t) => {
    const { port, seen } = await startScene(t, kind);
    await sendFromMany(t, port, SLOTS / 2, 'POST / HTTP/1.1', 'Content-Length: 1000\r\n\r\nsome');
    await eventually(() => assert.equal(seen.uploads, SLOTS / 2));
    const upload = await dial(port);
    t.after(() => upload.destroy());
    upload.write('POST / HTTP/1.1\r\nHost: modest.test\r\nContent-Length: 8\r\n\r\nsome');
    await eventually(() => assert.equal(seen.uploads, SLOTS / 2 + 1));
    upload.write('more');
    const [head] = (await once(upload, 'data')) as [Buffer];
    assert.match(head.toString('latin1'), /^HTTP\/1\.1 200 /);
  });
}
