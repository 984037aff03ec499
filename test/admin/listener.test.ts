import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type AdminAddress, askAdmin } from '../support/admin.ts';
import { deferred } from '../support/deferred.ts';
import { eventually } from '../support/eventually.ts';
import { AdminListener, type AdminListenerParts } from '../../lib/admin/listener.ts';
import type { EventStream } from '../../lib/admin/event-stream.ts';
import { Refusal, type Reply } from '../../lib/admin/reply.ts';

const HELLO: Reply = { status: 200, headers: {}, body: 'hello' };

const PARTS = { token: () => null, stream: {} as EventStream, streamPath: '/events' };

interface Opened {
  readonly admin: AdminAddress & { readonly port: number };
  /** Mistakes of ours that it has told of. */
  readonly mistakes: unknown[];
}

async function open(t: TestContext, answer: AdminListenerParts['answer']): Promise<Opened> {
  const mistakes: unknown[] = [];
  const listener = new AdminListener(
    { address: '127.0.0.1', port: 0 },
    { ...PARTS, answer, onMistake: (error) => mistakes.push(error) },
  );
  const url = await listener.open();
  t.after(() => listener.close());
  return { admin: { port: Number(new URL(url).port) }, mistakes };
}

/** Connects, and keeps its own half open when the other side ends. */
function dial(t: TestContext, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

test('who is refused an upgrade is answered and let go of, even when he stays', async (t) => {
  const { admin } = await open(t, () => Promise.resolve(HELLO));
  const upgrade = `GET /none HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
  // As many as it takes at a time.
  const answers = Array.from({ length: 200 }, async () => {
    const socket = dial(t, admin.port);
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => (text += part));
    socket.write(upgrade);
    await once(socket, 'end');
    return text;
  });
  for (const text of await Promise.all(answers)) assert.match(text, /^HTTP\/1\.1 404 Refused\r\n.*not-found/s);
  assert.equal((await askAdmin(admin, '/')).text, 'hello');
});

test('idle connections do not keep new clients out: those idle longest are closed', async (t) => {
  const { admin } = await open(t, () => Promise.resolve(HELLO));
  let closed = 0;
  for (let i = 0; i < 230; i++) {
    const socket = dial(t, admin.port);
    socket.resume().once('end', () => {
      closed++;
      socket.destroy();
    });
    await once(socket, 'connect');
  }
  await eventually(() => assert.equal(closed, 30));
  assert.equal((await askAdmin(admin, '/')).text, 'hello');
  await eventually(() => assert.equal(closed, 31));
});

test('a client that leaves within its body is no mistake of the program', async (t) => {
  const came = deferred<{ readonly body: Promise<unknown> }>();
  const { admin, mistakes } = await open(t, async ({ body }) => {
    const json = body();
    came.resolve({ body: json.catch((error: unknown) => error) });
    await json;
    return HELLO;
  });
  const socket = dial(t, admin.port);
  socket.write('PUT / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{');
  // In an object: a promise that a promise resolves with is waited for.
  const { body } = await came.promise;
  socket.destroy();
  const error = await body;
  assert.ok(error instanceof Refusal, String(error));
  assert.deepEqual([error.status, error.code], [400, 'cut']);
  assert.equal((await askAdmin(admin, '/', { method: 'PUT', body: '{}' })).text, 'hello');
  assert.deepEqual(mistakes, []);
});

test('each try to listen ends, so that many for one port that is taken leave nothing behind', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  t.after(() => process.off('warning', warn));
  const parts = { ...PARTS, answer: () => Promise.resolve(HELLO), onMistake: () => assert.fail() };
  const listener = new AdminListener({ address: '127.0.0.1', port }, parts);
  for (let i = 0; i < 30; i++) await assert.rejects(listener.open(), { code: 'EADDRINUSE' });
  taken.close();
  await once(taken, 'close');
  await listener.open();
  t.after(() => listener.close());
  assert.equal((await askAdmin({ port }, '/')).text, 'hello');
  assert.deepEqual(warnings, []);
});
