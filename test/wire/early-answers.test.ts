/** Backends that answer before they have read a request's body, and close. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { BackendSocket } from '../../lib/dial/backend-socket.ts';
import { refusingUrl, says, startBackend, startRawBackend } from '../support/backends.ts';
import { assertNobodyDied } from '../support/deaths.ts';
import { answerOf, openSession, type StreamAnswer } from '../support/http2.ts';
import { startRouter } from '../support/router.ts';

const BODY_BYTES = 20_000_000;

/** Sends a large body until something comes back, and resolves with all that came by the time the connection was closed. */
async function upload(port: number, framing: 'length' | 'chunked'): Promise<string> {
  // As curl does, it reads what came although it cannot write any more: Node's own would be destroyed by then.
  const client = new BackendSocket(null).connect(port, '127.0.0.1');
  client.on('error', () => {});
  let text = '';
  const heard = once(client, 'data').catch(() => {});
  client.on('data', (chunk) => (text += chunk.toString('latin1')));
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  const field = framing === 'length' ? `Content-Length: ${BODY_BYTES}` : 'Transfer-Encoding: chunked';
  client.write(`POST /big HTTP/1.1\r\nHost: site.test\r\n${field}\r\n\r\n`);
  const part = Buffer.alloc(65_536, 'x');
  const piece = framing === 'length' ? part : Buffer.concat([Buffer.from('10000\r\n'), part, Buffer.from('\r\n')]);
  for (let sent = 0; sent < BODY_BYTES && client.bytesRead === 0; sent += part.length) {
    if (!client.write(piece)) await Promise.race([once(client, 'drain').catch(() => {}), closed, heard]);
  }
  client.end();
  await closed;
  return text;
}

/** The same by HTTP/2. */
async function uploadByHttp2(t: TestContext, port: number): Promise<StreamAnswer> {
  const session = await openSession(t, port);
  const fields = { ':method': 'POST', ':authority': 'site.test', ':path': '/big' };
  const stream = session.request(fields, { endStream: false });
  const answer = answerOf(stream);
  const stop = new AbortController();
  const heard = Promise.race([once(stream, 'response').catch(() => {}), answer]).then(() => stop.abort());
  const part = Buffer.alloc(65_536, 'x');
  for (let sent = 0; sent < BODY_BYTES && !stop.signal.aborted; sent += part.length) {
    if (!stream.write(part)) await Promise.race([once(stream, 'drain').catch(() => {}), heard]);
  }
  return await answer;
}

const ANSWER = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbig\n';

for (const [manner, close] of [
  ['closes', (socket: Socket) => socket.end(ANSWER, () => socket.destroy())],
  ['resets the connection', (socket: Socket) => socket.write(ANSWER, () => socket.resetAndDestroy())],
] as const) {
  test(`an answer to half an upload reaches the client, though the backend ${manner}`, async (t) => {
    const backend = await startRawBackend(t, (socket) => {
      let bytes = 0;
      socket.on('data', (chunk) => {
        bytes += chunk.length;
        if (bytes < 300_000) return;
        socket.pause().removeAllListeners('data');
        close(socket);
      });
    });
    const well = await startBackend(t, says('ok'));
    const router = await startRouter(t, {
      config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } },
      routes: { 'site.test': ['site', backend.url, backend.url], 'dead.test': ['dead', refusingUrl(), well.url] },
    });
    for (let i = 0; i < 10; i++) {
      for (const framing of ['length', 'chunked'] as const) {
        const text = await upload(router.port, framing);
        assert.match(text, /^HTTP\/1\.1 413 [^]*\r\n\r\nbig\n$/, `${framing}, ${i}`);
      }
    }
    for (let i = 0; i < 10; i++) {
      const { status, body, code } = await uploadByHttp2(t, router.port);
      assert.deepEqual([status, body, code], [413, 'big\n', 0], `HTTP/2, ${i}`);
    }
    await assertNobodyDied(router, 'site.test', 'dead.test');
  });
}
