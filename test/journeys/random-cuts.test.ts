import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { startBackend, startRawBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { propertyRuns, seeded } from '../support/random.ts';
import { startRouter } from '../support/router.ts';
import { noteTraces } from '../support/traces.ts';

const CUTS = propertyRuns(300);
const AT_ONCE = 10;
const SEED = Number(process.env['CUTS_SEED'] ?? 20_261_121);

const BODY = 'x'.repeat(3_000);
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
const REQUESTS = [
  'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n',
  `POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  `POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n${BODY}\r\n0\r\nX-Sum: 1\r\n\r\n`,
  `PUT / HTTP/1.1\r\nHost: site.test\r\nExpect: 100-continue\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  `GET / HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${KEY}\r\n`,
  'GET / HTTP/1.1\r\nHost: site.test\r\n\r\nGET / HTTP/1.1\r\nHost: site.test\r\n\r\n',
] as const;
const ANSWERS = [
  `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n${BODY}\r\n0\r\nX-Sum: 1\r\n\r\n`,
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${BODY}`,
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${BODY}`,
] as const;

/** How one side ends: it sends these bytes, and then it is gone. */
interface Cut {
  readonly bytes: string;
  /** Nothing is missing: it may be that this side waits for the other's end. */
  readonly isWhole: boolean;
  readonly isPatient: boolean;
  readonly isReset: boolean;
}

function cutOf(messages: readonly string[], random: () => number): Cut {
  const message = messages[Math.floor(random() * messages.length)] ?? '';
  const isWhole = random() < 0.4;
  const end = isWhole ? message.length : Math.floor(random() * message.length);
  return { bytes: message.slice(0, end), isWhole, isPatient: random() < 0.5, isReset: random() < 0.7 };
}

function leave(socket: Socket, { isReset }: Cut): void {
  if (isReset) socket.resetAndDestroy();
  else socket.destroy();
}

test(`${CUTS} connections cut at random points, on either side, leave no trace`, async (t) => {
  const backendOf = async (random: () => number) =>
    await startRawBackend(t, (socket) => {
      const cut = cutOf(ANSWERS, random);
      let isAnswered = false;
      socket.on('data', () => {
        // The rest of a body, or a next request on the connection: a random time to leave.
        if (isAnswered) return leave(socket, cut);
        isAnswered = true;
        socket.write(cut.bytes, () => {
          // An answer without a length is whole when its connection ends.
          const mayWait = cut.isWhole && cut.isPatient && !cut.bytes.includes('Connection: close');
          if (!mayWait) setImmediate(() => leave(socket, cut));
        });
      });
      socket.on('end', () => socket.end());
    });
  // One for each of those that run at the same time, so that each meets the same answers in every run.
  const breakers = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => backendOf(seeded(SEED + i))));
  const good = await startBackend(t, (_request, response) => response.end('good'));
  const routes: Record<string, string[]> = { 'good.test': ['good', good.url] };
  for (const [i, { url }] of breakers.entries()) routes[`site${i}.test`] = ['site', url];
  const router = await startRouter(t, { routes });
  const { port } = router;
  const askGood = () => ask({ port, host: 'good.test' });
  assert.equal((await askGood()).body, 'good');
  const assertNoTraces = noteTraces(router);

  const connectAndLeave = async (host: string, random: () => number): Promise<void> => {
    const cut = cutOf(
      REQUESTS.map((request) => request.replaceAll('site.test', host)),
      random,
    );
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    // A reset is an end like others: it is no mistake to answer before all has come, and to close then.
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    let isHanging = false;
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (cut.isReset) leave(socket, cut);
      else socket.end();
    });
    socket.write(cut.bytes, () => {
      if (!cut.isWhole) setImmediate(() => leave(socket, cut));
    });
    socket.setTimeout(10_000, () => {
      isHanging = true;
      socket.destroy();
    });
    await closed;
    assert.ok(!isHanging, `nothing happens: ${JSON.stringify({ host, cut, received })}`);
  };
  await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, i) => {
      const random = seeded(SEED + AT_ONCE + i);
      for (let done = 0; done < CUTS / AT_ONCE; done++) await connectAndLeave(`site${i}.test`, random);
    }),
  );

  assert.equal((await askGood()).body, 'good');
  await assertNoTraces(2);
});
