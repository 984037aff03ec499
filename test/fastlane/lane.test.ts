/** What the fast lane keeps, what it lends, and what it gives away. */
// @waits: for time limits
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { Outcome } from '../../lib/core/routing/types.ts';
import { refusingUrl, startRawBackend, startSink } from '../support/backends.ts';
import { dial, send } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type LaneScene, startLane } from './scene.ts';

const PLAIN = 'GET /plain HTTP/1.1\r\nHost: site.test\r\n\r\n';
const LAST = 'GET /last HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n';

/** An answer of a backend that says for how long it keeps its connection. */
function keeping(seconds: number): string {
  return `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=${seconds}\r\nContent-Length: 0\r\n\r\n`;
}

/** The status of each answer. */
function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 ([0-9]{3})/g)].map(([, status]) => Number(status));
}

/** Everything was given back. */
async function isQuiet({ lane, backends }: LaneScene): Promise<void> {
  await eventually(() => assert.equal(lane.size, 0));
  for (const { inFlight, waiting } of backends) assert.deepEqual([inFlight, waiting], [0, 0]);
}

for (const [why, request] of Object.entries({
  'a body for an unknown host': 'POST /odd HTTP/1.1\r\nHost: none.test\r\nContent-Length: 5\r\n\r\nhello',
  'a chunked body for an unknown host': `POST /odd HTTP/1.1\r\nHost: none.test\r\nTransfer-Encoding: chunked\r\n\r\n${'5;x\r\nhello\r\n'.repeat(20_000)}0\r\nX-A: 1\r\n\r\n`,
  'X-Debug': 'GET /odd HTTP/1.1\r\nHost: site.test\r\nX-Debug: 1\r\n\r\n',
  'an invalid host': 'GET /odd HTTP/1.1\r\nHost: a b\r\n\r\n',
  'HTTP/1.0 that keeps': 'GET /odd HTTP/1.0\r\nHost: site.test\r\nConnection: keep-alive\r\n\r\n',
  'the ping host': 'GET /odd HTTP/1.1\r\nHost: __ping__\r\n\r\n',
})) {
  test(`${why} is lent for one exchange, and the connection comes back`, async (t) => {
    const scene = await startLane(t);
    const backend = await startSink(t);
    scene.store.set('site.test', ['site', backend.url]);
    const answer = await send(scene.port, `${PLAIN}${request}${PLAIN}${request}${LAST}`);
    assert.deepEqual(statuses(answer), [200, 299, 200, 299, 200]);
    assert.equal(scene.lent.length, 2);
    assert.equal(scene.adopted.length, 0);
    assert.deepEqual(
      scene.recorded.map(({ target }) => target),
      ['/plain', '/plain', '/last'],
    );
    await isQuiet(scene);
  });
}

test('a request for an unknown host gets its response here, and the connection serves the next one', async (t) => {
  const scene = await startLane(t);
  const backend = await startSink(t);
  scene.store.set('site.test', ['site', backend.url]);
  const unknown = ['GET', 'HEAD', 'LIST'].map((method) => `${method} /odd HTTP/1.1\r\nHost: none.test\r\n\r\n`);
  const answer = await send(scene.port, `${PLAIN}${unknown.join(PLAIN)}${LAST}`);
  assert.deepEqual(statuses(answer), [200, 400, 200, 400, 200, 400, 200]);
  assert.equal(scene.lent.length, 0);
  assert.deepEqual(
    scene.recorded.map(({ target, status, host }) => [target, status, host]),
    [PLAIN, '', PLAIN, '', PLAIN, '', LAST].map((text) => {
      if (text === '') return ['/odd', 400, 'none.test'];
      return [text === LAST ? '/last' : '/plain', 200, 'site.test'];
    }),
  );
  await isQuiet(scene);
});

test('a request for an unknown host is lent when all sites have a page for it', async (t) => {
  const scene = await startLane(t);
  scene.store.setPages('*', new Map([['400', 'none']]));
  const unknown = 'GET /odd HTTP/1.1\r\nHost: none.test\r\nConnection: close\r\n\r\n';
  assert.deepEqual(statuses(await send(scene.port, unknown)), [299]);
  assert.equal(scene.lent.length, 1);
  assert.equal(scene.recorded.length, 0);
  await isQuiet(scene);
});

for (const [why, request] of Object.entries({
  'an upgrade': 'GET / HTTP/1.1\r\nHost: site.test\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
  'a head in two readings': 'GET / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
  'a bare LF': 'GET / HTTP/1.1\nHost: site.test\n\n',
  'a head that is too large': `GET / HTTP/1.1\r\nHost: site.test\r\nX-A: ${'a'.repeat(20_000)}`,
  'a TLS handshake': '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1',
})) {
  test(`${why} gives the connection away, behind what came before`, async (t) => {
    const scene = await startLane(t);
    const backend = await startSink(t);
    scene.store.set('site.test', ['site', backend.url]);
    const client = await dial(scene.port);
    client.write(Buffer.from(`${PLAIN}${request}`, 'latin1'));
    await eventually(() => assert.equal(scene.adopted.length, 1));
    client.destroy();
    assert.equal(scene.lent.length, 0);
    assert.equal(scene.recorded.length, 1);
    await isQuiet(scene);
  });
}

/** One request of each kind, to a backend that does something wrong. */
async function outcomeOf(
  scene: LaneScene,
  url: string,
  request = PLAIN,
): Promise<{ outcome: Outcome | undefined; text: string }> {
  scene.store.set('site.test', ['site', url]);
  const text = await send(scene.port, request, (said) => said.includes('299'));
  assert.deepEqual(scene.recorded, []);
  const [handoff] = scene.lent;
  return { outcome: handoff?.attempts[0]?.outcome, text };
}

const POST = 'POST /post HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\n\r\nhello';

test('a refused connection goes on in the full lane, with the body', async (t) => {
  const scene = await startLane(t);
  const { outcome, text } = await outcomeOf(scene, refusingUrl(), POST);
  assert.equal(outcome?.type, 'unreachable');
  assert.match(text, /POST \/post 5$/);
});

for (const [type, behave] of Object.entries({
  broken: (socket: Socket) => socket.once('data', () => socket.destroy()),
  garbled: (socket: Socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\rX: 1\r\r')),
  silent: (socket: Socket) => socket.resume(),
})) {
  test(`so does an attempt that was ${type}`, async (t) => {
    const scene = await startLane(t, type === 'silent' ? { limits: { firstByteMs: 200 } } : {});
    const backend = await startRawBackend(t, behave);
    const { outcome, text } = await outcomeOf(scene, backend.url, POST);
    assert.equal(outcome?.type, type);
    assert.match(text, /POST \/post 5$/);
    await isQuiet(scene);
  });
}

test('who waits too long for a place goes on in the full lane as crowded; who waits less gets it', async (t) => {
  const scene = await startLane(t, { maxSockets: 1, limits: { connectMs: 1_000 } });
  const waiting: Socket[] = [];
  const backend = await startRawBackend(t, (socket) => socket.on('data', () => waiting.push(socket)));
  scene.store.set('site.test', ['site', backend.url]);
  const first = send(scene.port, LAST);
  await eventually(() => assert.equal(waiting.length, 1));
  const second = await send(scene.port, PLAIN, (said) => said.includes('299'));
  assert.equal(scene.lent[0]?.attempts[0]?.outcome.type, 'crowded');
  assert.match(second, /GET \/plain 0$/);
  const third = send(scene.port, LAST);
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  waiting.shift()?.write(answer);
  assert.deepEqual(statuses(await first), [200]);
  await eventually(() => assert.equal(waiting.length, 1));
  waiting.shift()?.write(answer);
  assert.deepEqual(statuses(await third), [200]);
});

test('a body that is not what its head announced is the full lane’s to refuse, and nothing behind it is read', async (t) => {
  const scene = await startLane(t);
  const backend = await startSink(t, '');
  const chunked = 'POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n';
  scene.store.set('site.test', ['site', backend.url]);
  const client = await dial(scene.port);
  client.write(`${chunked}5\r\nhello\r\nzz\r\n${PLAIN}`);
  await eventually(() => assert.equal(scene.lent.length, 1));
  const [handoff] = scene.lent;
  assert.deepEqual([handoff?.interruption?.code, handoff?.isBodyLost], ['bad-request', true]);
  client.destroy();
  await isQuiet(scene);
});

test('a lent request whose body does not come after its answer ends the connection', async (t) => {
  const scene = await startLane(t, { limits: { bodyMs: 1_000 } });
  const answer = await send(scene.port, 'POST /early HTTP/1.1\r\nHost: none.test\r\nContent-Length: 5\r\n\r\nhe');
  assert.deepEqual(statuses(answer), [299]);
  await eventually(() => assert.equal(scene.lane.size, 0));
});

test('one whose body does come then goes on', async (t) => {
  const scene = await startLane(t);
  const backend = await startSink(t);
  scene.store.set('site.test', ['site', backend.url]);
  const client = await dial(scene.port);
  let text = '';
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (text.endsWith('\r\n\r\n')) client.write(`llo${LAST}`);
  });
  client.write('POST /early HTTP/1.1\r\nHost: none.test\r\nContent-Length: 5\r\n\r\nhe');
  await closed;
  assert.deepEqual(statuses(text), [299, 200]);
});

test('a connection that its backend will not keep is not used again', async (t) => {
  const scene = await startLane(t);
  const hasty = await startSink(t, keeping(0));
  const patient = await startSink(t, keeping(5));
  for (const [{ url, connections }, count] of [
    [hasty, 3],
    [patient, 1],
  ] as const) {
    scene.store.set('site.test', ['site', url]);
    await send(scene.port, `${PLAIN}${PLAIN}${LAST}`);
    assert.equal(connections(), count);
  }
});

test('an answer of 503 is passed on, and its backend judged', async (t) => {
  const scene = await startLane(t);
  const backend = await startSink(t, 'HTTP/1.1 503 Later\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n');
  scene.store.set('site.test', ['site', backend.url]);
  assert.deepEqual(statuses(await send(scene.port, LAST)), [503]);
  assert.deepEqual(
    scene.judged.map(({ outcome }) => outcome),
    [{ type: 'answered', status: 503, retryAfter: true }],
  );
});

test('a good answer is judged while its backend is taken for dead, and only then', async (t) => {
  const scene = await startLane(t);
  const backend = await startSink(t);
  scene.store.set('site.test', ['site', backend.url]);
  await send(scene.port, LAST);
  assert.deepEqual(scene.judged, []);
  for (const state of scene.backends) state.deaths++;
  await send(scene.port, LAST);
  assert.deepEqual(
    scene.judged.map(({ outcome }) => outcome),
    [{ type: 'answered', status: 200, retryAfter: false }],
  );
});

test('a head that takes too long is told so; a connection between two requests is closed without a word', async (t) => {
  const scene = await startLane(t, { limits: { headerMs: 1_000, idleMs: 1_000 } });
  const backend = await startSink(t);
  scene.store.set('site.test', ['site', backend.url]);
  await send(scene.port, 'GET / HT');
  assert.equal(scene.timedOut.length, 1);
  assert.deepEqual(statuses(await send(scene.port, PLAIN)), [200]);
  await send(scene.port, `${PLAIN}GET /`);
  assert.equal(scene.timedOut.length, 2);
});

test('a client that pipelines and does not read is not answered ahead without bound', async (t) => {
  const scene = await startLane(t);
  let asked = 0;
  const answer = `HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n${'a'.repeat(60_000)}`;
  const backend = await startRawBackend(t, (socket) =>
    socket.on('data', () => {
      asked++;
      socket.write(answer);
    }),
  );
  scene.store.set('site.test', ['site', backend.url]);
  const client = await dial(scene.port);
  client.pause();
  client.write(PLAIN.repeat(1_000));
  let before = -1;
  await eventually(async () => {
    before = asked;
    // That nothing more happens has no event.
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(asked, before);
  });
  assert.ok(before < 500, `${before} answers were fetched for nobody`);
  client.destroy();
  await isQuiet(scene);
});
