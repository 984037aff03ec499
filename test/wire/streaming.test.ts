/** Bodies pass through at the pace of the slower side, whole, and memory does not grow with them. */
import assert from 'node:assert/strict';
import { createHash, type Hash } from 'node:crypto';
import { get, type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { startBackend, textOf } from '../support/backends.ts';
import { residentBytes, workerOf } from '../support/processes.ts';
import { type Router, startRouter } from '../support/router.ts';

const MIB = 1_048_576;
const SIZE = 1024 * MIB;
/** How much memory a worker may take meanwhile. On Node 24 garbage takes up to 61 MB before it is collected, on 22 half of that. */
const GROWTH = 128 * MIB;
/** Not a divisor of anything: chunks of a body and of a stream do not line up. */
const PIECE = Buffer.from(Array.from({ length: 65_521 }, (_, i) => (i * 31) & 255));

/** The same bytes every time, as many as asked for. */
function* pieces(size: number): Generator<Buffer> {
  for (let left = size; left > 0; left -= PIECE.length) yield left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
}

function digestOf(size: number): string {
  const hash = createHash('sha1');
  for (const piece of pieces(size)) hash.update(piece);
  return hash.digest('hex');
}

/** Bytes of memory that the router's worker holds. */
function memoryOf(router: Router): number {
  return residentBytes(workerOf(router));
}

const atOnce = async (): Promise<void> => {};

async function digest(message: IncomingMessage, pause = atOnce): Promise<string> {
  const hash: Hash = createHash('sha1');
  for await (const chunk of message) {
    hash.update(chunk as Buffer);
    await pause();
  }
  return hash.digest('hex');
}

/** Takes a rest now and then. */
function slowly(): () => Promise<void> {
  let n = 0;
  return async () => {
    if (++n % 64 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  };
}

/** Watches memory while something runs. @returns by how much it grew at most */
async function growth(router: Router, run: () => Promise<void>): Promise<number> {
  const before = memoryOf(router);
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, memoryOf(router));
  }, 50);
  await run();
  clearInterval(timer);
  return most - before;
}

async function send(out: ReturnType<typeof request>, size: number): Promise<void> {
  for (const piece of pieces(size)) {
    if (!out.write(piece)) await new Promise((resolve) => out.once('drain', resolve));
  }
  out.end();
}

test('streams', { skip: process.platform !== 'linux' && 'memory is read from /proc' }, async (t) => {
  let pause = atOnce;
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.method === 'GET') {
      const size = Number(incoming.url?.slice(1));
      response.writeHead(200, { 'Content-Length': size });
      void send(response as unknown as ReturnType<typeof request>, size);
    } else {
      void digest(incoming, () => pause()).then((hex) => response.end(hex));
    }
  });
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const options = { host: '127.0.0.1', port: router.port, headers: { host: 'site.test' } };

  function download(size: number, wait = atOnce): Promise<string> {
    return new Promise((resolve, reject) => {
      const out = get({ ...options, path: `/${size}` }, (answer) => void digest(answer, wait).then(resolve, reject));
      out.once('error', reject);
    });
  }

  function upload(size: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const out = request({ ...options, method: 'PUT' }, (answer) => void textOf(answer).then(resolve, reject));
      out.once('error', reject);
      void send(out, size);
    });
  }

  // The first megabytes make the worker as large as traffic makes it.
  await download(32 * MIB);
  await upload(32 * MIB);
  const whole = digestOf(SIZE);
  const part = digestOf(64 * MIB);
  await t.test('1 GiB down', async () => {
    assert.ok((await growth(router, async () => assert.equal(await download(SIZE), whole))) < GROWTH);
  });
  await t.test('1 GiB up, in chunks', async () => {
    assert.ok((await growth(router, async () => assert.equal(await upload(SIZE), whole))) < GROWTH);
  });
  await t.test('down to a slow reader', async () => {
    assert.ok((await growth(router, async () => assert.equal(await download(64 * MIB, slowly()), part))) < GROWTH);
  });
  await t.test('up to a slow reader', async () => {
    pause = slowly();
    assert.ok((await growth(router, async () => assert.equal(await upload(64 * MIB), part))) < GROWTH);
  });
});
