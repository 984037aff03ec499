/** In which order responses are sent (RFC 9218), and how long one waits for its client to open a window. */
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { END_STREAM, FRAME, GET, openSession, RawHttp2, request } from '../support/http2.ts';
import { leaseRouter } from '../support/leased-router.ts';
import type { Router } from '../support/router.ts';

const PRIORITY_UPDATE = 16;
const INITIAL_WINDOW_SIZE = 4;
/** The window of a connection and of a stream at their start. */
const WINDOW = 65_535;

/** A router whose backend sends as many bytes as the path says, with the response field that its query says. */
async function start(t: TestContext, server: Readonly<Record<string, unknown>> = {}): Promise<Router> {
  const backend = await startRawBackend(t, (socket) => {
    socket.on('data', (bytes) => {
      const [, length = '', field = ''] = /^GET \/(\d+)\??(\S*) /.exec(bytes.toString('latin1')) ?? [];
      const line = field === '' ? '' : `${field.replace(':', ': ')}\r\n`;
      socket.write(`HTTP/1.1 200 OK\r\n${line}Content-Length: ${length}\r\n\r\n${'x'.repeat(Number(length))}`);
    });
    socket.on('end', () => socket.end());
  });
  const config = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };
  return leaseRouter(t, { config, server, routes: { 'site.test': ['site', backend.url] } });
}

function windowUpdate(raw: RawHttp2, stream: number, by: number): void {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(by);
  raw.write(FRAME.windowUpdate, 0, stream, payload);
}

/** Requests a path; its head has come. */
async function get(raw: RawHttp2, stream: number, path: string, priority: string | null): Promise<void> {
  const fields = GET.map(([name, value]) => [name, name === ':path' ? path : value] as const);
  raw.headers(stream, priority === null ? fields : [...fields, ['priority', priority]]);
  await raw.find((each) => each.type === FRAME.headers && each.stream === stream);
}

/** The streams whose bytes came, in order; neighbours of one stream are one. */
function order(raw: RawHttp2, from: number): number[] {
  const streams = raw.frames.slice(from).flatMap(({ type, stream }) => (type === FRAME.data ? [stream] : []));
  return streams.filter((stream, i) => stream !== streams[i - 1]);
}

function bytesOf(raw: RawHttp2, stream?: number): number {
  const data = raw.frames.filter((each) => each.type === FRAME.data && (stream ?? each.stream) === each.stream);
  return data.reduce((sum, { payload }) => sum + payload.length, 0);
}

/** A client whose connection's window a first response has used up; the response has 35 KB left. */
async function openFull(t: TestContext, router: Router, priority: string | null): Promise<RawHttp2> {
  const raw = await RawHttp2.open(t, router.port);
  windowUpdate(raw, 0, 1_000);
  await get(raw, 1, `/${WINDOW + 36_000}`, priority);
  windowUpdate(raw, 1, 1_000_000);
  await eventually(() => assert.equal(bytesOf(raw), WINDOW + 1_000));
  return raw;
}

test('an urgent response overtakes a large one, and equal ones follow each other', async (t) => {
  const raw = await openFull(t, await start(t), 'u=5');
  await get(raw, 3, '/10000', null);
  await get(raw, 5, '/20000', 'u=1');
  await get(raw, 7, '/10000', null);
  const from = raw.frames.length;
  windowUpdate(raw, 0, 1_000_000);
  await raw.find(({ type, stream, flags }) => type === FRAME.data && stream === 1 && flags === END_STREAM);
  assert.deepEqual(order(raw, from), [5, 3, 7, 1]);
});

test('a client changes a priority with PRIORITY_UPDATE, and a backend with its response', async (t) => {
  const raw = await openFull(t, await start(t), 'u=5');
  await get(raw, 3, '/10000', null);
  await get(raw, 5, '/10000?Priority:u=0', 'u=7');
  await get(raw, 7, '/10000', 'u=7');
  raw.write(PRIORITY_UPDATE, 0, 0, Buffer.from('\0\0\0\x01u=2', 'latin1'));
  const from = raw.frames.length;
  windowUpdate(raw, 0, 1_000_000);
  await raw.find(({ type, stream, flags }) => type === FRAME.data && stream === 7 && flags === END_STREAM);
  assert.deepEqual(order(raw, from), [5, 1, 3, 7]);
});

test('a priority that a client gives a stream before it opens it counts, rather than that of the request', async (t) => {
  const raw = await openFull(t, await start(t), 'u=5');
  raw.write(PRIORITY_UPDATE, 0, 0, Buffer.from('\0\0\0\x05u=1', 'latin1'));
  raw.write(PRIORITY_UPDATE, 0, 0, Buffer.from('\0\0\0\x07u=2', 'latin1'));
  await get(raw, 3, '/10000', 'u=2');
  await get(raw, 5, '/10000', 'u=7');
  await get(raw, 9, '/10000', null);
  const from = raw.frames.length;
  windowUpdate(raw, 0, 1_000_000);
  await raw.find(({ type, stream, flags }) => type === FRAME.data && stream === 1 && flags === END_STREAM);
  assert.deepEqual(order(raw, from), [5, 3, 9, 1]);
});

test('incremental responses come in turn', async (t) => {
  const raw = await openFull(t, await start(t), 'u=5, i');
  await get(raw, 3, '/36000', 'u=5, i');
  const from = raw.frames.length;
  windowUpdate(raw, 0, 1_000_000);
  await raw.find(({ type, stream, flags }) => type === FRAME.data && stream === 3 && flags === END_STREAM);
  assert.ok(order(raw, from).length >= 4, String(order(raw, from)));
});

test('the end of a response whose client opens no window is given up, and other streams are served', async (t) => {
  const router = await start(t, { timeouts: { response: 0.5 } });
  const raw = await RawHttp2.open(t, router.port);
  const none = Buffer.alloc(6);
  none.writeUInt16BE(INITIAL_WINDOW_SIZE);
  raw.write(FRAME.settings, 0, 0, none);
  await get(raw, 1, '/100', null);
  assert.equal(await raw.resetOf(1), constants.NGHTTP2_CANCEL);
  const { code, count } = await router.event('http2-refused');
  assert.deepEqual([code, count], ['http2-window-timeout', 1]);
  assert.equal(bytesOf(raw, 1), 0);
  await get(raw, 3, '/100', null);
  windowUpdate(raw, 3, 100);
  await raw.find(({ type, stream, flags }) => type === FRAME.data && stream === 3 && flags === END_STREAM);
  assert.equal((await request(await openSession(t, router.port), { ':path': '/100' })).body.length, 100);
});
