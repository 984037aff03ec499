/** Backends that answer before they have read a request's body, and close. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { BackendSocket } from '../../lib/backends/dialing/backend-socket.ts';
import { refusingUrl, says, startBackend, startRawBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { dial } from '../support/client.ts';
import { assertNobodyDied } from '../support/deaths.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { answerOf, openSession, type StreamAnswer } from '../support/http2.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

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
  stream.end();
  return await answer;
}

const PART = Buffer.alloc(65_536, 'x');
const UPLOAD_BYTES = 3_000_000;

/** Sends a whole upload, the second half of it only after the answer has come. Resolves with all that came. */
async function uploadInHalves(client: Socket, chunked: boolean, last: string, line = ''): Promise<string> {
  let text = '';
  const heard = new Promise<void>((resolve) =>
    client.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.endsWith(last)) resolve();
    }),
  );
  const closed = once(client, 'close').then(() => {
    throw new Error(`closed after ${text}`);
  });
  closed.catch(() => {});
  const field = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${UPLOAD_BYTES}`;
  client.write(`POST /up HTTP/1.1\r\nHost: site.test\r\n${line}${field}\r\n\r\n`);
  for (let sent = 0; sent < UPLOAD_BYTES;) {
    const part = PART.subarray(0, Math.min(PART.length, UPLOAD_BYTES - sent));
    sent += part.length;
    if (chunked) client.write(`${part.length.toString(16)}\r\n`);
    const isFlowing = client.write(part);
    if (chunked) client.write('\r\n');
    if (!isFlowing) await Promise.race([once(client, 'drain'), closed]);
    // Whole, and long before the upload is.
    if (sent > UPLOAD_BYTES / 2) await Promise.race([heard, closed]);
  }
  if (chunked) client.write('0\r\n\r\n');
  await heard;
  return text;
}

for (const kind of ['http', 'h2c'] as const) {
  test(`${kind}: an upload goes on to a backend that has answered and still reads, by a connection that is kept`, async (t) => {
    const received: number[] = [];
    let connections = 0;
    let url: string;
    if (kind === 'http') {
      const backend = await startBackend(t, (incoming, response) => {
        let bytes = 0;
        response.setHeader('Content-Length', 2).end('ok');
        incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
        incoming.on('end', () => received.push(bytes));
      });
      backend.server.on('connection', () => connections++);
      ({ url } = backend);
    } else {
      const backend = await startHttp2Backend(t, (stream) => {
        let bytes = 0;
        stream.respond({ ':status': 200, 'content-length': '2' });
        stream.end('ok');
        stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
        stream.on('end', () => received.push(bytes));
      });
      backend.server.on('session', () => connections++);
      ({ url } = backend);
    }
    const router = await leaseRouter(t, {
      config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } },
      routes: { 'site.test': ['site', url] },
    });
    const client = await dial(router.port);
    let count = 0;
    for (let i = 0; i < 6; i++) {
      assert.match(await uploadInHalves(client, i % 2 === 1, '\r\n\r\nok'), /^HTTP\/1\.1 200 OK\r\n/);
      client.removeAllListeners('data');
      count++;
      await eventually(() => assert.equal(received.length, count));
    }
    client.destroy();
    const session = await openSession(t, router.port);
    for (let i = 0; i < 3; i++) {
      const stream = session.request(
        { ':method': 'POST', ':authority': 'site.test', ':path': '/' },
        { endStream: false },
      );
      const answer = answerOf(stream);
      const heard = once(stream, 'end');
      for (let sent = 0; sent < UPLOAD_BYTES; sent += PART.length) {
        if (!stream.write(PART)) await once(stream, 'drain');
        if (sent > UPLOAD_BYTES / 2) await heard;
      }
      stream.end();
      const { status, headers, body, code } = await answer;
      // See lib/http2/http1-stream-adapter.ts.
      assert.deepEqual([status, headers['content-length'], body, code], [200, undefined, 'ok', 0]);
      count++;
      await eventually(() => assert.equal(received.length, count));
    }
    assert.deepEqual(new Set(received.slice(0, 6)), new Set([UPLOAD_BYTES]));
    assert.deepEqual(new Set(received.slice(6)), new Set([Math.ceil(UPLOAD_BYTES / PART.length) * PART.length]));
    assert.ok(connections <= 2, `${connections} connections`);
  });
}

test('the rest of an upload is read and dropped after an answer of the router, or of a backend that has closed', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', () => socket.destroy()));
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const bare = await leaseRouter(t, { routes: {} });
  for (const [port, last] of [
    [router.port, '\r\n\r\nok'],
    [bare.port, '</html>\n'],
  ] as const) {
    for (const chunked of [false, true]) {
      const client = await dial(port);
      // And the connection is good for a next one.
      for (let i = 0; i < 3; i++) {
        assert.match(await uploadInHalves(client, chunked, last), /^HTTP\/1\.1 (200|400) /);
        client.removeAllListeners('data');
      }
      client.destroy();
    }
  }
});

/** A backend that answers at once and reads on: what has come to it, in bytes, of each whole upload. */
async function startEarlyBackend(t: TestContext): Promise<{ readonly url: string; readonly received: number[] }> {
  const received: number[] = [];
  const { url } = await startBackend(t, (incoming, response) => {
    let bytes = 0;
    response.setHeader('Content-Length', 2).end('ok');
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
    incoming.on('end', () => received.push(bytes));
  });
  return { url, received };
}

test('an upload goes on to its backend though its client wants the connection closed', async (t) => {
  const { url, received } = await startEarlyBackend(t);
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', url] } });
  for (const chunked of [false, true]) {
    const client = connect({ port: router.port, host: '127.0.0.1', allowHalfOpen: true });
    client.on('error', () => {});
    const ended = once(client, 'end');
    await uploadInHalves(client, chunked, '\r\n\r\nok', 'Connection: close\r\n');
    await ended;
    client.end();
  }
  await eventually(() => assert.deepEqual(received, [UPLOAD_BYTES, UPLOAD_BYTES]));
});

test('an upload by TLS goes on, too', { skip: noOpenssl }, async (t) => {
  const { url, received } = await startEarlyBackend(t);
  const pair = makePair(temporaryFolder(t), 'site.test');
  const https = { port: 0, bind: ['127.0.0.1'], key: pair.keyFile, cert: pair.certFile };
  const config = { http: { bind: [] }, https };
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', url] }, config });
  const client = connectTls({ port: router.port, host: '127.0.0.1', rejectUnauthorized: false });
  client.on('error', () => {});
  await once(client, 'secureConnect');
  for (const chunked of [false, true]) {
    await uploadInHalves(client, chunked, '\r\n\r\nok');
    client.removeAllListeners('data');
  }
  await eventually(() => assert.deepEqual(received, [UPLOAD_BYTES, UPLOAD_BYTES]));
  client.destroy();
});

test('a stream whose client keeps the rest of its upload back is closed in time', async (t) => {
  const { url, received } = await startEarlyBackend(t);
  const config = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };
  const server = { timeouts: { body: 1 } };
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', url] }, config, server });
  const session = await openSession(t, router.port);
  const fields = { ':method': 'POST', ':authority': 'site.test', ':path': '/' };
  const stream = session.request(fields, { endStream: false });
  stream.write(PART);
  const { status, body } = await answerOf(stream);
  assert.deepEqual([status, body], [200, 'ok']);
  assert.deepEqual(received, []);
  // The connection is good for more.
  const next = session.request(fields, { endStream: false });
  next.end(PART);
  assert.equal((await answerOf(next)).status, 200);
});

for (const [signal, event] of [
  ['SIGTERM', 'stopping'],
  ['SIGHUP', 'reloaded'],
] as const) {
  test(`an upload that was answered early gets to its end in spite of ${signal}`, async (t) => {
    const { url, received } = await startEarlyBackend(t);
    const router = await startRouter(t, { routes: { 'site.test': ['site', url] } });
    const client = await dial(router.port);
    const heard = once(client, 'data');
    client.write(`POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: ${UPLOAD_BYTES}\r\n\r\n`);
    client.write(Buffer.alloc(UPLOAD_BYTES / 2));
    await heard;
    router.signal(signal);
    await router.event(event);
    client.write(Buffer.alloc(UPLOAD_BYTES / 2));
    await eventually(() => assert.deepEqual(received, [UPLOAD_BYTES]));
    client.destroy();
  });
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
    const router = await leaseRouter(t, {
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
