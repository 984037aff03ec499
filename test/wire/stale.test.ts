/** A backend may close a kept connection at any time, also just as it is used again: no client hears of it. */
// @waits: for idle connections to be closed
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, type RequestListener } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { refusingUrl, says, startBackend, startRawBackend, textOf } from '../support/backends.ts';
import { makePair } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { assertNobodyDied } from '../support/deaths.ts';
import { eventually } from '../support/eventually.ts';
import { END_HEADERS, END_STREAM, FRAME, frame, openSession, request } from '../support/http2.ts';
import { startFrameBackend, startHttp2Backend } from '../support/http2-backends.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { noProc, workerOf } from '../support/processes.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { readRequests } from '../support/wire.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a kept connection that closes as it is used again', async (t) => {
  let connections = 0;
  /** Answers the first request of each connection, and hangs up on the second. */
  const backend = await startRawBackend(t, (socket) => {
    connections++;
    let text = '';
    let answered = 0;
    socket.on('data', (chunk) => {
      if (answered === 1) {
        socket.resetAndDestroy();
        return;
      }
      text += chunk.toString('latin1');
      try {
        readRequests(text);
      } catch {
        return;
      }
      answered++;
      socket.write(OK);
    });
  });
  // The first of two backends would be dead after this if anybody had noticed.
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url, backend.url] } });
  const { port } = router;

  await t.test('GET is sent again on a fresh connection', async () => {
    for (let i = 0; i < 5; i++) assert.equal((await ask({ port })).status, 200);
    assert.equal(connections, 5);
  });

  await t.test('no backend was blamed', () => {
    assert.equal(
      router.log.find(({ event }) => event === 'backend-dead'),
      undefined,
    );
  });
});

test('a POST that was too long to keep is not sent twice', async (t) => {
  let requests = 0;
  const backend = await startRawBackend(t, (socket) => {
    let isFirst = true;
    socket.on('data', (chunk) => {
      if (/^(?:GET|POST) /.test(chunk.toString('latin1'))) requests++;
      if (isFirst) socket.write(OK);
      // It reads a good part of the body, then hangs up.
      else if (!chunk.toString('latin1').startsWith('POST')) setImmediate(() => socket.destroy());
      isFirst = false;
    });
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  assert.equal((await ask({ port: router.port })).status, 200);
  const { status } = await ask({ port: router.port, method: 'POST', body: 'a'.repeat(5_000_000) });
  assert.equal(status, 502);
  assert.equal(requests, 2);
});

test('a POST that a backend has worked on before its connection broke is not sent twice', async (t) => {
  let heads = '';
  const backend = await startRawBackend(t, (socket) => {
    let isFirst = true;
    socket.on('data', (chunk) => {
      heads += /^(?:GET|POST) /.exec(chunk.toString('latin1'))?.[0] ?? '';
      if (isFirst) socket.write(OK);
      else setTimeout(() => socket.resetAndDestroy(), 1_000);
      isFirst = false;
    });
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const { port } = router;
  assert.equal((await ask({ port })).status, 200);
  assert.equal((await ask({ port, method: 'POST', body: 'once' })).status, 502);
  assert.equal(heads, 'GET POST ');
  // What may be done twice is, as before.
  assert.deepEqual([(await ask({ port })).status, (await ask({ port })).status], [200, 200]);
  assert.equal(heads, 'GET POST GET GET GET ');
});

/** A backend of some kind, told of what it receives. */
interface Kind {
  readonly name: string;
  readonly start: (t: TestContext, events: BackendEvents) => Promise<{ readonly url: string }>;
}

interface BackendEvents {
  /** Its connections, oldest first: ends one as if it had been idle for too long. */
  readonly closers: ((how: 'end' | 'reset') => void)[];
  /** What must not be sent twice has come. @returns true to have it answered */
  readonly onUnsafe: (method: string, close: (how: 'end' | 'reset') => void) => boolean;
}

const UNSAFE = /^(POST|PATCH) /;

function serveRaw(socket: Socket, { closers, onUnsafe }: BackendEvents): void {
  const close = (how: 'end' | 'reset'): void => {
    if (how === 'end') socket.end(() => socket.destroy());
    else if (socket instanceof TLSSocket) socket.destroy();
    else socket.resetAndDestroy();
  };
  closers.push(close);
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    try {
      readRequests(text);
    } catch {
      return;
    }
    const [, unsafe] = UNSAFE.exec(text) ?? [];
    text = '';
    if (unsafe === undefined || onUnsafe(unsafe, close)) socket.write(OK);
  });
}

const KINDS: readonly Kind[] = [
  { name: 'http', start: (t, events) => startRawBackend(t, (socket) => serveRaw(socket, events)) },
  {
    name: 'https',
    async start(t, events) {
      const pair = makePair(temporaryFolder(t), 'localhost');
      const server = createTlsServer({ key: pair.key, cert: pair.cert }, (socket) => serveRaw(socket, events));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => server.close());
      return { url: `https://localhost:${(server.address() as AddressInfo).port}` };
    },
  },
  {
    name: 'h2c',
    async start(t, { closers, onUnsafe }) {
      const sockets = new Map<unknown, Socket>();
      const backend = await startHttp2Backend(t, (stream, headers) => {
        const method = String(headers[':method']);
        stream.resume().once('end', () => {
          const { session } = stream;
          const close = (how: 'end' | 'reset'): void => {
            // With GOAWAY in the one case, and without it in the other.
            if (how === 'end') session?.destroy();
            else sockets.get(session)?.resetAndDestroy();
          };
          if (UNSAFE.test(`${method} `) && !onUnsafe(method, close)) return;
          stream.respond({ ':status': 200 });
          stream.end('ok');
        });
      });
      let latest: Socket | null = null;
      backend.server.prependListener('connection', (socket: Socket) => (latest = socket));
      backend.server.on('session', (session: ServerHttp2Session) => {
        const socket = latest;
        if (socket !== null) sockets.set(session, socket);
        closers.push((how) => (how === 'end' ? session.close() : socket?.resetAndDestroy()));
      });
      return backend;
    },
  },
];

for (const { name, start } of KINDS) {
  test(`${name}: what a backend has read before it closed a kept connection is not sent twice`, async (t) => {
    let received: string[] = [];
    let how: 'end' | 'reset' = 'end';
    let afterMs = 0;
    const backend = await start(t, {
      closers: [],
      onUnsafe(method, close) {
        received.push(method);
        setTimeout(close, afterMs, how);
        return false;
      },
    });
    const dead = refusingUrl();
    const well = await startBackend(t, says('ok'));
    const router = await startRouter(t, {
      routes: { 'site.test': ['site', backend.url, backend.url], 'dead.test': ['dead', dead, well.url] },
      server: { backendTls: { verify: false } },
      config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } },
    });
    const { port } = router;
    const session = await openSession(t, port);
    const headers = { 'X-Debug': '1' };
    const chunked = { 'Transfer-Encoding': 'chunked' };
    for (how of ['end', 'reset'] as const) {
      for (afterMs of [0, 100]) {
        const asks = [
          () => ask({ port, method: 'POST', body: 'once' }),
          () => ask({ port, method: 'PATCH', body: 'once' }),
          () => ask({ port, method: 'POST', body: 'once', headers: chunked }),
          () => ask({ port, method: 'POST' }),
          () => ask({ port, method: 'POST', body: 'once', headers }),
          () => ask({ port, method: 'POST', body: 'a'.repeat(50_000) }),
          () => request(session, { ':method': 'POST' }, 'once'),
        ];
        for (const [at, send] of asks.entries()) {
          const what = `${how} after ${afterMs} ms, ${at}`;
          // One for each lane.
          assert.equal((await ask({ port })).status, 200, what);
          assert.equal((await ask({ port, headers })).status, 200, what);
          received = [];
          assert.equal((await send()).status, 502, what);
          assert.equal(received.length, 1, `${what}: ${String(received)}`);
        }
      }
    }
    // It may have been the end of an idle connection: nobody is blamed for that.
    await assertNobodyDied(router, 'site.test', 'dead.test');
  });

  for (const order of ['before the request came', 'after it came, and before it was sent'] as const) {
    test(`${name}: a kept connection that was closed ${order} costs no POST`, { skip: noProc }, async (t) => {
      const closers: ((how: 'end' | 'reset') => void)[] = [];
      let received = 0;
      const backend = await start(t, {
        closers,
        onUnsafe() {
          received++;
          return true;
        },
      });
      let worker = 0;
      t.after(() => {
        if (isStopped) process.kill(worker, 'SIGCONT');
      });
      let isStopped = false;
      const routes = { 'site.test': ['site', backend.url] };
      const router = await startRouter(t, { routes, server: { backendTls: { verify: false } } });
      worker = workerOf(router);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      t.after(() => agent.destroy());
      for (let i = 0; i < 8; i++) {
        const how = i % 2 === 0 ? 'end' : 'reset';
        assert.equal((await ask({ port: router.port, agent })).status, 200);
        process.kill(worker, 'SIGSTOP');
        isStopped = true;
        await eventually(() => assert.match(readFileSync(`/proc/${worker}/stat`, 'utf8'), /\) T /));
        if (order === 'before the request came') closers.at(-1)?.(how);
        const answer = ask({ port: router.port, agent, method: 'POST', body: 'once' });
        // Both are in the system's hands by then: what comes over loopback has come.
        await pause(20);
        if (order !== 'before the request came') closers.at(-1)?.(how);
        await pause(20);
        process.kill(worker, 'SIGCONT');
        isStopped = false;
        assert.equal((await answer).status, 200, `${i}`);
        assert.equal(received, i + 1);
      }
    });
  }
}

test('POSTs around the moment when a backend closes idle connections are delivered, and once', async (t) => {
  /** Far more than how long the router trusts an idle connection with a POST: it may see a response late. */
  const closesAt = 2_000;
  const bodies: string[] = [];
  const answer: RequestListener = (incoming, response) => {
    void textOf(incoming).then((text) => {
      if (incoming.method === 'POST') bodies.push(text);
      response.end('ok');
    });
  };
  const announcing = await startBackend(t, answer);
  announcing.server.keepAliveTimeout = closesAt;
  const quiet = await startRawBackend(t, (socket) => {
    let timer: NodeJS.Timeout | undefined;
    // It does not say when it will close.
    let text = '';
    socket.on('data', (chunk) => {
      clearTimeout(timer);
      text += chunk.toString('latin1');
      try {
        bodies.push(...readRequests(text).flatMap(({ method, body }) => (method === 'POST' ? [body] : [])));
      } catch {
        return;
      }
      text = '';
      socket.write(OK);
      timer = setTimeout(() => socket.end(), closesAt);
    });
    socket.on('close', () => clearTimeout(timer));
  });
  const urls = { 'announcing.test': announcing.url, 'quiet.test': quiet.url };
  const routes = Object.fromEntries(Object.entries(urls).map(([host, url]) => [host, ['site', url]]));
  const { port } = await leaseRouter(t, { routes });
  const sent: string[] = [];
  const statuses = await Promise.all(
    Object.keys(urls).flatMap((host) =>
      Array.from({ length: 60 }, async (_, i) => {
        assert.equal((await ask({ port, host })).status, 200);
        await pause(closesAt - 15 + i / 2);
        sent.push(`${host} ${i}`);
        return (await ask({ port, host, method: 'POST', body: `${host} ${i}` })).status;
      }),
    ),
  );
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.deepEqual(bodies.toSorted(), sent.toSorted());
});

for (const [what, code] of [
  ['in good order', 0],
  ['with an error', 11],
] as const) {
  test(`h2c: a POST past the last stream that a GOAWAY ${what} names is sent again`, async (t) => {
    let posts = 0;
    const url = await startFrameBackend(t, (stream, socket) => {
      const headers = frame(FRAME.headers, END_HEADERS | END_STREAM, stream, Buffer.from([0x88]));
      if (stream === 1 && posts++ > 0) return [headers];
      if (stream === 1) return [headers];
      const last = Buffer.alloc(8);
      last.writeUInt32BE(1, 0);
      last.writeUInt32BE(code, 4);
      setImmediate(() => socket.end());
      return [frame(FRAME.goaway, 0, 0, last)];
    });
    const router = await leaseRouter(t, { routes: { 'site.test': ['site', url] } });
    const { port } = router;
    assert.equal((await ask({ port })).status, 200);
    assert.equal((await ask({ port, method: 'POST', body: 'once' })).status, 200);
    assert.equal(posts, 2);
  });
}
