import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { startBackend, startRawBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { noProc, openFilesOf, workerOf } from '../support/processes.ts';
import { startRouter } from '../support/router.ts';

const CUTS = 300;
const AT_ONCE = 10;

/** Mulberry32: the same cuts in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const BODY = 'x'.repeat(3_000);
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
const REQUESTS = [
  'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n',
  `POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  `POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n${BODY}\r\n0\r\nX-Sum: 1\r\n\r\n`,
  `PUT / HTTP/1.1\r\nHost: site.test\r\nExpect: 100-continue\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  `GET / HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${KEY}\r\n`,
  'GET /1 HTTP/1.1\r\nHost: site.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: site.test\r\n\r\n',
] as const;
const ANSWERS = [
  `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n${BODY}\r\n0\r\nX-Sum: 1\r\n\r\n`,
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${BODY}`,
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${BODY}`,
] as const;

/** Resets a connection, or closes it in the middle. */
function cut(socket: Socket, isReset: boolean): void {
  if (isReset) socket.resetAndDestroy();
  else socket.destroy();
}

test(`${CUTS} connections cut at random points, on either side, leave no trace`, async (t) => {
  const random = seeded(20_261_121);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const breaker = await startRawBackend(t, (socket) => {
    const answer = pick(ANSWERS);
    // One in three is answered whole: then it is the client that leaves.
    const end = random() < 0.3 ? answer.length : Math.floor(random() * answer.length);
    const isReset = random() < 0.7;
    const mayHold = random() < 0.5;
    socket.once('data', () => {
      socket.write(answer.slice(0, end), () => {
        if (end < answer.length || !mayHold) setImmediate(() => cut(socket, isReset));
      });
    });
    socket.on('end', () => socket.end());
  });
  const good = await startBackend(t, (_request, response) => response.end('good'));
  const routes = { 'site.test': ['site', breaker.url], 'good.test': ['good', good.url] };
  const router = await startRouter(t, { routes });
  const { port } = router;
  const askGood = () => ask({ port, host: 'good.test' });
  assert.equal((await askGood()).body, 'good');
  const worker = noProc ? 0 : workerOf(router);
  const openBefore = noProc ? 0 : openFilesOf(worker);

  const cutOnce = async (): Promise<void> => {
    const request = pick(REQUESTS);
    const end = random() < 0.5 ? request.length : Math.floor(random() * request.length);
    // Some leave at once, some when the first bytes come, some only when the other side does.
    const patience = random();
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(request.slice(0, end), () => {
      if (end < request.length || patience < 0.3) setImmediate(() => cut(socket, patience < 0.8));
    });
    socket.once('data', () => {
      if (patience < 0.6) cut(socket, patience < 0.5);
      // Whoever waits for a connection to be closed says so, in the end.
      else setTimeout(() => socket.end(), 50);
    });
    socket.setTimeout(5_000, () => socket.destroy(new Error('nothing happens')));
    await once(socket, 'close');
  };
  for (let done = 0; done < CUTS; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, cutOnce));
  }

  assert.equal((await askGood()).body, 'good');
  const mistakes = router.log.filter(({ event }) => event === 'worker-mistake' || event === 'internal-error');
  assert.deepEqual(mistakes, []);
  assert.deepEqual(router.stray, []);
  if (noProc) return;
  assert.equal(workerOf(router), worker);
  await eventually(() => {
    const open = openFilesOf(worker);
    assert.ok(open <= openBefore + 2, `${open} open files, ${openBefore} before`);
  }, 10_000);
});
