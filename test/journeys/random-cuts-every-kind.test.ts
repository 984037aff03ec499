/** Clients and backends of every kind, with what lies between them and the router breaking at random points. */
import assert from 'node:assert/strict';
import type { RequestListener, Server } from 'node:http';
import { connect as connectHttp2, constants } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { startBackend, startSecureBackend } from '../support/backends.ts';
import { startBreaker } from '../support/breaker.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { startHttp2Backend, type StreamHandler } from '../support/http2-backends.ts';
import { pick, propertyRuns, seeded } from '../support/random.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { noteTraces } from '../support/traces.ts';

const ROUNDS = propertyRuns(25);
const SEED = Number(process.env['CUTS_SEED'] ?? 20_261_122);
/** Longer than `timeouts.firstByte`: Node loses writes now and then (nodejs/node#55804), and the router has that limit. */
const LIMIT_MS = 45_000;
const STREAMS = 4;
const BODY = 'x'.repeat(3_000);
const HOSTS = ['http.router.test', 'https.router.test', 'h2c.router.test', 'h2.router.test'] as const;
const MANNERS = ['get', 'post', 'early', 'upgrade'] as const;
const WEBSOCKET = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** Answers early when it is asked to, else when it has read all. */
const answer: RequestListener = (request, response) => {
  const say = (): void => {
    response.writeEarlyHints({ link: '</a>' });
    response.writeHead(200, { Trailer: 'X-Sum' });
    response.write(BODY);
    response.addTrailers({ 'X-Sum': '1' });
    response.end();
  };
  request.on('error', () => {}).resume();
  if (request.url === '/early') say();
  else request.once('end', say);
};

const answerStream: StreamHandler = (stream, headers) => {
  const say = (): void => {
    if (stream.destroyed) return;
    stream.additionalHeaders({ ':status': 103, link: '</a>' });
    stream.respond({ ':status': 200 }, { waitForTrailers: headers[':method'] !== 'CONNECT' });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }));
    if (headers[':method'] === 'CONNECT') echoEnd(stream);
    else stream.end(BODY);
  };
  stream.resume();
  if (headers[':path'] === '/early' || headers[':method'] === 'CONNECT') say();
  else stream.once('end', say);
};

/** A client that ends its side of a tunnel leaves the other one open: it ends when the backend's does. */
function echoEnd(stream: Duplex): void {
  stream.write(BODY);
  if (stream.readableEnded) stream.end();
  else stream.once('end', () => stream.end());
}

function echoing(server: Server): void {
  server.on('upgrade', (_request, socket: Duplex) => {
    socket.on('error', () => {});
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${BODY}`);
    socket.pipe(socket);
  });
}

/** Resolves when a stream is closed. @throws when it never is */
async function closed(stream: { once(event: 'close', listener: () => void): unknown }, what: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing happens: ${what}`)), LIMIT_MS);
    stream.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

interface Way {
  readonly port: number;
  readonly ca: string;
  readonly random: () => number;
}

async function askByHttp1({ port, ca, random }: Way): Promise<void> {
  const host = pick(HOSTS, random);
  const manner = pick(MANNERS, random);
  const request = httpsRequest({
    port,
    host: '127.0.0.1',
    path: `/${manner}`,
    method: manner === 'get' || manner === 'upgrade' ? 'GET' : 'POST',
    headers: { Host: host, ...(manner === 'upgrade' && WEBSOCKET) },
    agent: false,
    ca,
    servername: 'any.router.test',
  });
  request.on('error', () => {});
  request.on('response', (response) => response.on('error', () => {}).resume());
  request.on('upgrade', (_response, socket: Duplex) => {
    socket.on('error', () => {}).resume();
    socket.write(BODY, () => socket.end());
  });
  const over = closed(request, `${manner} ${host}`);
  if (request.method === 'POST') request.write(BODY.slice(0, 1_000));
  setImmediate(() => request.end(request.method === 'POST' ? BODY.slice(1_000) : ''));
  await over;
}

async function askByHttp2({ port, ca, random }: Way): Promise<void> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, servername: 'any.router.test' });
  session.on('error', () => {});
  const over = closed(session, 'a session');
  const streams = Array.from({ length: STREAMS }, () => {
    const host = pick(HOSTS, random);
    const manner = pick(MANNERS, random);
    const isCancelled = random() < 0.2;
    const stream = session.request(
      {
        ':method': manner === 'get' ? 'GET' : manner === 'upgrade' ? 'CONNECT' : 'POST',
        ...(manner === 'upgrade' && { ':protocol': 'websocket', 'sec-websocket-version': '13' }),
        ':authority': host,
        ':path': `/${manner}`,
      },
      { endStream: manner === 'get' },
    );
    stream.on('error', () => {}).resume();
    const done = closed(stream, `${manner} ${host} as a stream`);
    if (manner !== 'get') stream.end(BODY);
    if (isCancelled) stream.once('response', () => stream.close(constants.NGHTTP2_CANCEL));
    return done;
  });
  await Promise.all(streams);
  session.close();
  await over;
}

async function startBackends(t: TestContext, folder: string): Promise<{ urls: string[]; ca: string }> {
  const pair = makePair(folder, 'localhost');
  const tls = { key: pair.key, cert: pair.cert, name: 'localhost' };
  const http = await startBackend(t, answer);
  const https = await startSecureBackend(t, pair, 'localhost', answer);
  echoing(http.server);
  echoing(https.server);
  const settings = { enableConnectProtocol: true };
  const h2c = await startHttp2Backend(t, answerStream, { settings });
  const h2 = await startHttp2Backend(t, answerStream, { settings, tls });
  return { urls: [http.url, https.url, h2c.url, h2.url], ca: pair.certFile };
}

/** Requests of all kinds, by ways that break at random points. @param options of the sites @returns the router's port */
async function breakWays(t: TestContext, options: Readonly<Record<string, string>>, rounds: number): Promise<number> {
  const folder = temporaryFolder(t);
  const { urls, ca } = await startBackends(t, folder);
  const routes: Record<string, readonly string[] | Readonly<Record<string, string>>> = {};
  for (const [i, host] of HOSTS.entries()) {
    const url = new URL(urls[i] ?? '');
    routes[`good-${host}`] = ['good', url.origin === 'null' ? url.href : url.origin];
    const random = seeded(SEED + i);
    url.port = String(await startBreaker(t, { port: Number(url.port), bytes: 8_000, spared: 0.3, random }));
    routes[host] = ['site', url.href];
    routes[`options:${host}`] = options;
  }
  const pair = makePair(folder, '*.router.test');
  const https = { port: 0, bind: ['127.0.0.1'], key: pair.keyFile, cert: pair.certFile };
  const server = { deadBackendTTL: 1, backendTls: { ca: [ca] } };
  const router = await startRouter(t, { routes, server, config: { https } });
  const securePort = Number(new URL(router.urls[1] ?? '').port);
  const random = seeded(SEED + HOSTS.length);
  const broken = await startBreaker(t, { port: securePort, bytes: 20_000, spared: 0.4, random });
  const askGood = async (): Promise<void> => {
    for (const host of HOSTS) {
      const { status, body } = await ask({ port: router.port, host: `good-${host}` });
      assert.deepEqual([status, body.length], [200, BODY.length], host);
    }
  };
  await askGood();
  const assertNoTraces = noteTraces(router);

  const way: Way = { port: broken, ca: pair.cert, random };
  const lane = async (askOnce: (way: Way) => Promise<void>): Promise<void> => {
    for (let round = 0; round < rounds; round++) await askOnce(way);
  };
  await Promise.all([lane(askByHttp1), lane(askByHttp1), lane(askByHttp1), lane(askByHttp2), lane(askByHttp2)]);

  await askGood();
  // A connection of HTTP/2 to each of the backends may stay.
  await assertNoTraces(10);
  return router.port;
}

test('connections of every kind that break at random points leave no trace', { skip: noOpenssl }, async (t) => {
  await breakWays(t, {}, ROUNDS);
});

test('the only permit of a site comes back, however its requests end', { skip: noOpenssl }, async (t) => {
  const port = await breakWays(t, { maxConn: '1', maxConnPerBackend: '1', queue: '100 20' }, Math.ceil(ROUNDS / 3));
  for (const host of HOSTS) {
    // Its way breaks, too; the router's own response comes another way.
    const said = await ask({ port, host }).then(
      ({ headers }) => headers['x-router-error'],
      () => 'broken off',
    );
    assert.notEqual(said, 'site-busy', host);
  }
});
