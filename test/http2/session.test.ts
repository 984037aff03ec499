import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Http1StreamAdapter } from '../../lib/http2/http1-stream-adapter.ts';
import type { Http2Refusal } from '../../lib/http2/parts.ts';
import { Session } from '../../lib/http2/session.ts';
import { FRAME, type Frame, GET, RawHttp2 } from '../support/http2.ts';

const SETTINGS_TIMEOUT = 4;
const ANY = 2 ** 31 - 1;

/** A session whose time is the test's, a client of it, and what the lanes get. */
async function start(t: TestContext) {
  const time = { ms: 0 };
  const refused: Http2Refusal[] = [];
  const adapters: Http1StreamAdapter[] = [];
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const [raw, [socket]] = await Promise.all([
    RawHttp2.open(t, (server.address() as AddressInfo).port),
    once(server, 'connection') as Promise<[Socket]>,
  ]);
  const parts = {
    headerBytes: 16_384,
    headerMs: 10_000,
    idleMs: 60_000,
    windowMs: 0,
    now: () => time.ms,
    readAccepted: () => null,
    onRefused: (refusal: Http2Refusal) => void refused.push(refusal),
    admit: (adapter: Http1StreamAdapter) => void adapters.push(adapter.resume()),
  };
  const activity = { busy: () => {}, idle: () => {}, close: null };
  const peer = { address: '127.0.0.1', isTrusted: false, isTls: false, localPort: 80 };
  const session = new Session(socket, peer, activity, parts, () => {});
  await raw.find(({ type, flags }) => type === FRAME.settings && flags === 1);
  return { session, raw, time, refused, adapters };
}

/** The last stream and the code of each GOAWAY. */
function goaways(frames: readonly Frame[]): [number, number][] {
  const all = frames.filter(({ type }) => type === FRAME.goaway);
  return all.map(({ payload }) => [payload.readUInt32BE(0), payload.readUInt32BE(4)]);
}

test('a client that does not acknowledge the settings loses its connection after 30 s', async (t) => {
  const { session, raw, time, refused } = await start(t);
  raw.headers(1, GET);
  await raw.find(({ type }) => type === FRAME.settings);
  time.ms = 29_999;
  session.check();
  assert.deepEqual(refused, []);
  time.ms = 30_000;
  session.check();
  await raw.closed;
  assert.equal(goaways(raw.frames).at(-1)?.[1], SETTINGS_TIMEOUT);
  assert.deepEqual(
    refused.map(({ code }) => code),
    ['http2-settings-timeout'],
  );
});

test('a client that answers no PING gets the second GOAWAY after half a second, with all streams it has sent', async (t) => {
  const { session, raw, time, adapters } = await start(t);
  session.close();
  session.close();
  await raw.find(({ type }) => type === FRAME.ping);
  raw.headers(1, GET);
  raw.write(FRAME.ping, 0, 0, Buffer.alloc(8));
  await raw.find(({ type, flags }) => type === FRAME.ping && flags === 1);
  time.ms += 499;
  session.check();
  time.ms += 1;
  session.check();
  session.check();
  await raw.find(({ type, payload }) => type === FRAME.goaway && payload.readUInt32BE(0) === 1);
  assert.deepEqual(goaways(raw.frames), [
    [ANY, 0],
    [1, 0],
  ]);
  assert.equal(adapters.length, 1);
  adapters[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  await raw.closed;
  assert.ok(raw.frames.some(({ type, payload }) => type === FRAME.data && payload.toString() === 'ok'));
});

test('an evicted session says which streams it has served, and is closed at once', async (t) => {
  const { session, raw } = await start(t);
  session.evict();
  await raw.closed;
  assert.deepEqual(goaways(raw.frames), [[0, 0]]);
});

test('a write is done when the last byte of the response is in the kernel, and not before', async (t) => {
  const { raw, adapters } = await start(t);
  raw.headers(1, GET);
  await raw.find(({ type }) => type === FRAME.settings);
  raw.write(FRAME.ping, 0, 0, Buffer.alloc(8));
  await raw.find(({ type, flags }) => type === FRAME.ping && flags === 1);
  const [adapter] = adapters;
  assert.ok(adapter);
  let isDone = false;
  // A byte more than the window.
  const body = Buffer.alloc(65_536, 'x');
  adapter.write('HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n');
  const done = new Promise<void>((resolve) => {
    adapter.write(body, () => {
      isDone = true;
      resolve();
    });
  });
  await raw.find(({ type }) => type === FRAME.data);
  raw.write(FRAME.ping, 0, 0, Buffer.from('a moment'));
  await raw.find(({ type, payload }) => type === FRAME.ping && payload.toString() === 'a moment');
  assert.equal(isDone, false);
  const one = Buffer.from([0, 0, 0, 1]);
  raw.write(FRAME.windowUpdate, 0, 0, one);
  raw.write(FRAME.windowUpdate, 0, 1, one);
  await done;
});

test('a closed adapter gives the memory of its last write back, and the client gets what was in it', async (t) => {
  const { raw, adapters } = await start(t);
  raw.headers(1, GET);
  raw.write(FRAME.ping, 0, 0, Buffer.alloc(8));
  await raw.find(({ type, flags }) => type === FRAME.ping && flags === 1);
  const [adapter] = adapters;
  assert.ok(adapter);
  const body = Buffer.alloc(100_000, 'x');
  adapter.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
  const done = new Promise<void>((resolve) => adapter.write(body, () => resolve()));
  await raw.find(({ type }) => type === FRAME.data);
  adapter.destroy();
  await done;
  body.fill('?');
  const more = Buffer.from([0, 1, 0, 0]);
  raw.write(FRAME.windowUpdate, 0, 1, more);
  raw.write(FRAME.windowUpdate, 0, 0, more);
  await raw.find(({ type, flags }) => type === FRAME.data && flags === 1);
  const data = raw.frames.filter(({ type }) => type === FRAME.data).map(({ payload }) => payload);
  assert.equal(Buffer.concat(data).toString(), 'x'.repeat(100_000));
});
