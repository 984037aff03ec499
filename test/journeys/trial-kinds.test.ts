/** Trials of WebSockets and of HTTP/2 backends, and a trial whose client leaves. */
// @calm: counts by the clock how many requests a sick backend gets
import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { type Router, startRouter } from '../support/router.ts';

const SITE = 'site.test';
const TTL = 1;

async function start(t: TestContext, urls: readonly string[]): Promise<Router> {
  const server = { workers: 1, deadBackendTTL: TTL, timeouts: { firstByte: 10 } };
  return startRouter(t, { routes: { [SITE]: ['site', ...urls] }, server });
}

function deaths(router: Router): number {
  return router.log.filter(({ event }) => event === 'backend-dead').length;
}

/** What the requests of so many ms get, one after the other. */
async function repeated(send: () => Promise<string>, ms: number): Promise<Map<string, number>> {
  const until = performance.now() + ms;
  const counts = new Map<string, number>();
  while (performance.now() < until) {
    const got = await send();
    counts.set(got, (counts.get(got) ?? 0) + 1);
    await delay(10);
  }
  return counts;
}

const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** Opens a WebSocket, and closes it. Resolves to the name of the backend; to the status of another response. */
function upgrade({ port }: Router): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { Host: SITE, ...HANDSHAKE };
    const out = request({ host: '127.0.0.1', port, headers, agent: false });
    out.once('upgrade', ({ headers: fields }, socket) => {
      socket.destroy();
      resolve(String(fields['x-backend']));
    });
    out.once('response', (answer) => {
      answer.resume();
      resolve(String(answer.statusCode));
    });
    out.once('error', reject);
    out.end();
  });
}

async function startUpgrading(t: TestContext, onUpgrade: (socket: Duplex) => void): Promise<string> {
  const { server, url } = await startBackend(t, says('no WebSocket', 426));
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {});
    onUpgrade(socket);
  });
  return url;
}

function switched(name: string): string {
  const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Accept: x', `X-Backend: ${name}`];
  return `HTTP/1.1 101 Switching Protocols\r\n${fields.join('\r\n')}\r\n\r\n`;
}

test('a WebSocket may be the trial: one that is refused goes to another backend, one that opens ends it', async (t) => {
  const state = { isSick: true, seen: 0 };
  const good = await startUpgrading(t, (socket) => void socket.write(switched('good')));
  const sick = await startUpgrading(t, (socket) => {
    state.seen++;
    if (state.isSick) socket.destroy();
    else socket.write(switched('sick'));
  });
  const router = await start(t, [good, sick]);
  await eventually(async () => {
    assert.equal(await upgrade(router), 'good');
    assert.equal(deaths(router), 1);
  });
  state.seen = 0;
  const got = await repeated(() => upgrade(router), 2_500);
  assert.deepEqual([...got.keys()], ['good']);
  assert.ok(state.seen >= 1 && state.seen <= 2, `${state.seen} trials in 2.5 s`);
  state.isSick = false;
  await eventually(async () => assert.equal(await upgrade(router), 'sick'));
  await eventually(async () => assert.equal(await upgrade(router), 'sick'));
});

test('an HTTP/2 backend has a trial, too', async (t) => {
  const state = { isSick: true, seen: 0 };
  const good = await startHttp2Backend(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.end('good');
  });
  const sick = await startHttp2Backend(t, (stream) => {
    state.seen++;
    stream.respond({ ':status': state.isSick ? 502 : 200 });
    stream.end('sick');
  });
  const router = await start(t, [good.url, sick.url]);
  const get = async (): Promise<string> => {
    const { status, body } = await ask(router);
    return `${status} ${body}`;
  };
  await eventually(async () => {
    await get();
    assert.equal(deaths(router), 1);
  });
  state.seen = 0;
  const got = await repeated(get, 2_500);
  assert.ok(state.seen >= 1 && state.seen <= 2, `${state.seen} trials in 2.5 s`);
  // The trial's client gets the response.
  assert.equal(got.get('502 sick'), state.seen);
  assert.ok((got.get('200 good') ?? 0) > 10);
  state.isSick = false;
  await eventually(async () => assert.equal(await get(), '200 sick'));
});

test('if the client of a trial leaves, the next request is the trial', async (t) => {
  const state: { is: 'sick' | 'silent' | 'well'; seen: number } = { is: 'sick', seen: 0 };
  const good = await startBackend(t, says('good'));
  const { url } = await startBackend(t, (incoming, response) => {
    state.seen++;
    if (state.is === 'sick') incoming.socket.destroy();
    if (state.is === 'well') response.end('well');
  });
  const router = await start(t, [good.url, url]);
  await eventually(async () => {
    assert.equal((await ask(router)).body, 'good');
    assert.equal(deaths(router), 1);
  });
  Object.assign(state, { is: 'silent', seen: 0 });
  // Each request is over at once, but the trial.
  const trial = await eventually(async () => {
    const out = request({ host: '127.0.0.1', port: router.port, headers: { Host: SITE }, agent: false });
    out.on('error', () => {});
    const response = new Promise<'response'>((resolve) => {
      out.once('response', (answer) => {
        answer.resume();
        resolve('response');
      });
    });
    out.end();
    const reached = eventually(() => assert.equal(state.seen, 1), 5_000).then(
      () => 'reached' as const,
      () => 'late' as const,
    );
    assert.equal(await Promise.race([response, reached]), 'reached');
    return out;
  });
  state.is = 'well';
  trial.destroy();
  await eventually(async () => assert.equal((await ask(router)).body, 'well'));
  assert.equal(deaths(router), 1);
});
