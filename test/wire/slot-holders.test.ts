/** One client that reads, or sends, as slowly as it likes cannot take a backend from the others. */
// @waits: for time limits
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';

/** Longer than any system's buffers. */
const BIG_BYTES = 64 * 1_048_576;
const PIECE = Buffer.alloc(65_536, 'a');
const ATTACKER = '127.0.0.1';
const OTHER = '127.0.0.2';
/** A request that waits for so long is refused, s: much longer than the attack's slots take on a busy machine. */
const WAIT_S = 30;
/** Answers have to come much sooner, ms. */
const PROMPT_MS = 15_000;

interface Scene {
  readonly router: Router;
  readonly port: number;
  /** Requests that have come to the backend and are not for `/`. */
  readonly begun: () => number;
}

/** Sends until the other side has left, at its pace. */
function pump(to: {
  write(chunk: Buffer): boolean;
  on(event: 'drain', listener: () => void): unknown;
  end(): unknown;
}): void {
  let left = BIG_BYTES;
  const more = (): void => {
    while (left > 0 && (left -= PIECE.length) >= 0) if (!to.write(PIECE)) return;
    to.end();
  };
  to.on('drain', more);
  more();
}

async function startScene(t: TestContext, kind: 'http' | 'h2c', server = {}, isTls = false): Promise<Scene> {
  let begun = 0;
  const backend =
    kind === 'http'
      ? await startBackend(t, (request, response) => {
          response.on('error', () => {});
          if (request.url !== '/') begun++;
          request.resume();
          if (request.url === '/early') response.end('ok');
          else request.once('end', () => (request.url === '/big' ? pump(response) : response.end('ok')));
        })
      : await startHttp2Backend(
          t,
          (stream, headers) => {
            if (headers[':path'] !== '/') begun++;
            stream.resume();
            if (headers[':path'] === '/early') {
              stream.respond({ ':status': 200 });
              stream.end('ok');
              return;
            }
            stream.once('end', () => {
              if (stream.destroyed) return;
              stream.respond({ ':status': 200 });
              if (headers[':path'] === '/big') pump(stream);
              else stream.end('ok');
            });
          },
          { settings: { maxConcurrentStreams: 1 } },
        );
  const listener = { port: 0, bind: [ATTACKER], http2: true };
  const tls = isTls ? makePair(temporaryFolder(t), 'site.test') : null;
  const config = tls
    ? { http: { bind: [] }, https: { ...listener, key: tls.keyFile, cert: tls.certFile } }
    : { http: listener };
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { timeouts: { connect: WAIT_S }, ...server },
    config,
  });
  return { router, port: router.port, begun: () => begun };
}

/** Connections of HTTP/1.1 that send this, and then what `goOn` does with each. */
async function attack(
  t: TestContext,
  { port }: Scene,
  count: number,
  text: string,
  goOn: (socket: Socket) => void,
  isTls = false,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const options = { port, host: '127.0.0.1', localAddress: ATTACKER };
    const socket = isTls ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options);
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    socket.pause();
    socket.write(text);
    goOn(socket);
    await once(socket, isTls ? 'secureConnect' : 'connect');
  }
}

/** Does it now and then, while a socket is open. */
function repeat(socket: Socket, everyMs: number, what: () => void): void {
  const timer = setInterval(what, everyMs);
  socket.once('close', () => clearInterval(timer));
}

/** Reads 64 bytes each second. */
function readSlowly(socket: Socket): void {
  repeat(socket, 1_000, () => void socket.read(64));
}

/**
 * Others are answered again and again, and so are others with the same address. All but the first of the others are
 * answered soon: this one waits until slots were taken from the attack, which is work for a machine.
 */
async function othersAreServed({ port }: Scene, isTls = false): Promise<void> {
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    const localAddress = i % 3 === 2 ? ATTACKER : OTHER;
    const begin = performance.now();
    const tls = isTls && { tls: { rejectUnauthorized: false } };
    const answer = await ask({ port, localAddress, limitMs: 2_000 * WAIT_S, ...tls });
    assert.deepEqual([answer.status, answer.body], [200, 'ok'], `request ${i} from ${localAddress}`);
    // Those with the same address wait behind the requests of the attack.
    if (localAddress === OTHER) waits.push(performance.now() - begin);
    await delay(250);
  }
  for (const ms of waits.slice(1)) assert.ok(ms < PROMPT_MS, `requests took ${waits.map(Math.round).join(', ')} ms`);
}

/** All slots have been taken, or as many requests have come as there are. */
async function isFull({ begun }: Scene, count: number): Promise<void> {
  await eventually(() => assert.ok(begun() >= Math.min(count, 100), `${begun()} of ${count}`), 15_000);
}

const BIG = 'GET /big HTTP/1.1\r\nHost: site.test\r\n\r\n';

for (const kind of ['http', 'h2c'] as const) {
  test(`260 clients that read 64 bytes a second, ${kind}`, async (t) => {
    const scene = await startScene(t, kind);
    await attack(t, scene, 260, BIG, readSlowly);
    await isFull(scene, 260);
    await othersAreServed(scene);
  });

  test(`three HTTP/2 connections of 100 streams that give no window, ${kind}`, async (t) => {
    const scene = await startScene(t, kind);
    for (let i = 0; i < 3; i++) await takeStreams(t, scene, 0);
    await isFull(scene, 300);
    await othersAreServed(scene);
  });

  test(`one HTTP/2 connection with a window of one byte, ${kind}`, async (t) => {
    const scene = await startScene(t, kind);
    await takeStreams(t, scene, 1);
    await isFull(scene, 100);
    await othersAreServed(scene);
  });

  test(`100 uploads that begin with 64 KiB and go on with a byte each 3 s, ${kind}`, async (t) => {
    const scene = await startScene(t, kind);
    const head = 'POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10000000\r\n\r\n';
    await attack(t, scene, 100, head + 'a'.repeat(65_536), (socket) => {
      socket.resume();
      repeat(socket, 3_000, () => socket.write('a'));
    });
    await isFull(scene, 100);
    await othersAreServed(scene);
  });

  test(`100 uploads that were answered early and go on with a byte each 500 ms, ${kind}`, async (t) => {
    const scene = await startScene(t, kind);
    const head = 'POST /early HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10000000\r\n\r\n';
    await attack(t, scene, 100, head + 'a'.repeat(65_536), (socket) => {
      socket.resume();
      repeat(socket, 500, () => socket.write('a'));
    });
    await isFull(scene, 100);
    await othersAreServed(scene);
  });

  test(`110 clients that expect 100-continue and send no body, ${kind}`, async (t) => {
    const scene = await startScene(t, kind);
    const head = 'POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n';
    await attack(t, scene, 110, head, (socket) => socket.resume());
    await isFull(scene, 110);
    await othersAreServed(scene);
  });
}

test('110 clients that read 64 bytes a second, over TLS', { skip: noOpenssl }, async (t) => {
  const scene = await startScene(t, 'http', {}, true);
  await attack(t, scene, 110, BIG, readSlowly, true);
  await isFull(scene, 110);
  await othersAreServed(scene, true);
});

test('a WebSocket handshake gets its slot, too', async (t) => {
  const scene = await startScene(t, 'http');
  await attack(t, scene, 110, BIG, readSlowly);
  await isFull(scene, 110);
  const begin = performance.now();
  const text = await handshake(scene.port);
  // The backend knows no WebSockets, and says so itself.
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.ok(performance.now() - begin < PROMPT_MS);
});

test('a client that is cut off is logged with the reason', async (t) => {
  const scene = await startScene(t, 'http', { maxSockets: 4 });
  await attack(t, scene, 4, BIG, readSlowly);
  await eventually(() => assert.equal(scene.begun(), 4));
  await othersAreServed(scene);
  const { code, client, host } = await scene.router.event('client-cut');
  assert.deepEqual([code, client, host], ['slot-needed', ATTACKER, 'site.test']);
});

/** 100 streams of one connection, each with a window of so many bytes. */
async function takeStreams(t: TestContext, { port }: Scene, window: number): Promise<void> {
  const session = connectHttp2(`http://127.0.0.1:${port}`, {
    settings: { initialWindowSize: window },
    localAddress: ATTACKER,
  } as object);
  session.on('error', () => {});
  t.after(() => session.destroy());
  await once(session, 'remoteSettings');
  for (let i = 0; i < 100; i++) {
    const stream = session.request({ ':authority': 'site.test', ':path': '/big' });
    stream.on('error', () => {});
    stream.pause();
    const timer = setInterval(() => void stream.read(1), 500);
    stream.once('close', () => clearInterval(timer));
  }
}

async function handshake(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: OTHER });
  socket.on('error', () => {});
  socket.write(
    'GET / HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
  socket.destroy();
  return data.toString('latin1');
}
