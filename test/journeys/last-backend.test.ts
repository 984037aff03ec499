/** No client, and no request, takes all of a site's backends out of service. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { refusingUrl, says, startBackend, startRawBackend } from '../support/backends.ts';
import { send } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { fileOwner } from '../support/file-owner.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import {
  askAt,
  assertAll,
  BUFFER,
  type Host,
  idsDead,
  LARGE,
  lastBackend,
  onFile,
  onRedis,
  type Scene,
  type Settings,
  siteOn,
  startPicky,
} from '../support/last-backend-scene.ts';
import type { Owner } from '../support/router.ts';

const file = fileOwner();
const STORES: Readonly<Record<string, (owner: Owner, server?: Settings) => Promise<Host>>> = {
  Redis: (owner, server) => onRedis(owner, {}, server),
  'Redis with push': (owner, server) => onRedis(owner, { cache: { mode: 'push' } }, server),
  'a routes file': onFile,
};

/** Answers 501 to any other method. */
function onlyGet({ method }: IncomingMessage, response: ServerResponse): void {
  response.writeHead(method === 'GET' ? 200 : 501).end();
}

/** Never answers one path. */
function slowReport(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (request.url !== '/report') response.end('ok');
}

for (const [name, start] of Object.entries(STORES)) {
  let shared: Promise<Host> | undefined;
  /** A site on a router that tests share which need no settings of their own. */
  const siteHere = async (...urls: readonly string[]): Promise<Scene> => siteOn(await (shared ??= start(file)), urls);

  test(`${name}: a head that makes both backends close costs its client an error, and nobody else`, async (t) => {
    const scene = await siteHere(await startPicky(t), await startPicky(t));
    await assertAll(scene, 200);
    for (let i = 0; i < 5; i++) {
      assert.equal((await askAt(scene, LARGE)).status, 502);
      await assertAll(scene, 200);
    }
    const { id, why } = await lastBackend(scene);
    assert.match(String(why), /closed|hang up/);
    assert.equal(idsDead(scene).size, 1);
    assert.ok(!idsDead(scene).has(id));
  });

  test(`${name}: answers of 501 to a method take one backend out of service at most`, async (t) => {
    const backends = await Promise.all([startBackend(t, onlyGet), startBackend(t, onlyGet)]);
    const scene = await siteHere(...backends.map(({ url }) => url));
    for (let i = 0; i < 5; i++) {
      assert.equal((await askAt(scene, { method: 'PROPFIND' })).status, 501);
      await assertAll(scene, 200);
    }
    await lastBackend(scene);
    assert.equal(idsDead(scene).size, 1);
  });

  test(`${name}: one request marks one backend, though it makes three close`, async (t) => {
    const scene = await siteHere(...(await Promise.all([startPicky(t), startPicky(t), startPicky(t)])));
    assert.equal((await askAt(scene, LARGE)).status, 502);
    await eventually(() => assert.equal(idsDead(scene).size, 1));
    await assertAll(scene, 200);
    assert.equal(idsDead(scene).size, 1);
    // What a second request says is heard.
    await eventually(async () => {
      await askAt(scene, LARGE);
      assert.equal(idsDead(scene).size, 2);
    });
    await assertAll(scene, 200);
  });

  test(`${name}: a slow report marks no backend that answers others meanwhile`, async (t) => {
    const backends = await Promise.all([startBackend(t, slowReport), startBackend(t, slowReport)]);
    const host = await start(t, { workers: 1, timeouts: { firstByte: 2 } });
    const urls = backends.map(({ url }) => url);
    const scene = await siteOn(host, urls);
    const state = { isOver: false };
    const report = askAt(scene, { path: '/report' }).finally(() => (state.isOver = true));
    while (!state.isOver) await askAt(scene);
    assert.equal((await report).status, 504);
    assert.equal(idsDead(scene).size, 0);
  });

  test(`${name}: when the last living backend fails, one that a router marked is tried`, async (t) => {
    let well: number | null = null;
    const backend = async (id: number): Promise<string> => {
      const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell';
      const { url } = await startRawBackend(t, (socket) => {
        socket.once('data', () => (well === id ? socket.end(answer) : socket.destroy()));
      });
      return url;
    };
    const scene = await siteHere(await backend(0), await backend(1));
    await eventually(async () => {
      assert.equal((await askAt(scene)).status, 502);
      assert.ok(scene.router.log.some(({ event, frontend }) => event === 'last-backend' && frontend === scene.site));
    });
    const [marked, ...others] = idsDead(scene);
    assert.deepEqual(others, []);
    well = Number(marked);
    await assertAll(scene, 200);
  });

  test(`${name}: a WebSocket handshake that makes both backends close takes one at most`, async (t) => {
    const scene = await siteHere(await startPicky(t), await startPicky(t));
    const handshake =
      `GET / HTTP/1.1\r\nHost: ${scene.site}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: ${'x'.repeat(6_000)}\r\n\r\n`;
    for (let i = 0; i < 3; i++) assert.match(await send(scene.router.port, handshake), /^HTTP\/1\.1 502 /);
    await assertAll(scene, 200);
  });

  test(`${name}: streams that make both HTTP/2 backends end their connection take one at most`, async (t) => {
    const backend = async (): Promise<string> => {
      const { url } = await startHttp2Backend(t, (stream, { cookie = '' }) => {
        if (cookie.length > BUFFER) return stream.session?.destroy();
        stream.respond({ ':status': 200 });
        stream.end('ok');
        return;
      });
      return url;
    };
    const scene = await siteHere(await backend(), await backend());
    for (let i = 0; i < 3; i++) {
      assert.equal((await askAt(scene, LARGE)).status, 502);
      await assertAll(scene, 200);
    }
  });
}

test('a connection that is refused and one that breaks are two kinds: both backends of one request may be marked', async (t) => {
  const cutting = await startRawBackend(t, (socket) => socket.once('data', () => socket.destroy()));
  const good = await startBackend(t, says('good'));
  const scene = await siteOn(await onRedis(t, {}, { workers: 1 }), [cutting.url, refusingUrl(), good.url]);
  await eventually(async () => {
    assert.equal((await askAt(scene)).body, 'good');
    assert.equal(idsDead(scene).size, 2);
  });
});
