/** Large responses to many clients at once, each as fast as its client reads. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { request as secureRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { pick, seeded } from '../support/random.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

const CLIENTS = 160;
const BYTES = 3_000_000;
const BODIES = 16;

/** How a client reads: its pause before the first part, and after each, ms; and how many bodies it asks for in one. */
interface Speed {
  readonly first: number;
  readonly each: number;
  readonly times: number;
}

const SPEEDS: readonly [Speed, ...Speed[]] = [
  { first: 0, each: 0, times: 1 },
  // More than the kernel buffers for a client that does not read: 4 MB at most, by Linux' default.
  { first: 500, each: 0, times: 3 },
  { first: 0, each: 1, times: 1 },
  { first: 100, each: 5, times: 1 },
];

const random = seeded(11);
const bodies = Array.from({ length: BODIES }, () => {
  const bytes = Buffer.alloc(65_536);
  for (let at = 0; at < 65_536; at += 4) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  // Every read is at another place of the pattern.
  return Buffer.alloc(BYTES, bytes.subarray(0, 65_521));
});

function sumOf(parts: readonly Buffer[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** Serves `/FRAMING/N/TIMES`, the Nth body so many times. */
async function startBodies(t: TestContext): Promise<string> {
  const { url } = await startBackend(t, ({ url: path = '' }, response) => {
    const [, framing, n, times] = path.split('/');
    const body = bodies[Number(n)] ?? Buffer.alloc(0);
    if (framing === 'length') response.setHeader('Content-Length', body.length * Number(times));
    if (framing === 'close') response.useChunkedEncodingByDefault = false;
    if (framing === 'close') response.setHeader('Connection', 'close');
    for (let i = 0; i < Number(times); i++) response.write(body);
    response.end();
  });
  return url;
}

/** One request, and the head of its response. */
type Fetch = (path: string) => Promise<{ readonly status: number | undefined; readonly body: Readable }>;

function overHttp1(port: number, isTls: boolean): Fetch {
  return async (path) => {
    const options = { host: '127.0.0.1', port, path, headers: { host: 'site.test' }, agent: false };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const out = isTls ? secureRequest({ ...options, rejectUnauthorized: false }) : request(options);
      out.once('response', resolve).once('error', reject).end();
    });
    return { status: response.statusCode, body: response };
  };
}

function overHttp2(session: ClientHttp2Session): Fetch {
  return async (path) => {
    const stream = session.request({ ':path': path, ':authority': 'site.test' });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      stream.once('response', (fields) => resolve(fields[':status'])).once('error', reject);
    });
    return { status, body: stream };
  };
}

async function download(fetch: Fetch, n: number): Promise<void> {
  const framing = pick(['length', 'length', 'chunked', 'close'], random);
  const speed = pick(SPEEDS, random);
  const index = n % BODIES;
  const leaves = random() < 0.1;
  const { status, body } = await fetch(`/${framing}/${index}/${speed.times}`);
  assert.equal(status, 200);
  await delay(speed.first);
  const parts: Buffer[] = [];
  for await (const part of body as AsyncIterable<Buffer>) {
    parts.push(part);
    if (leaves && parts.length === 10) return;
    if (speed.each > 0) await delay(speed.each);
  }
  const whole = Array.from({ length: speed.times }, () => bodies[index] ?? Buffer.alloc(0));
  assert.equal(sumOf(parts), sumOf(whole), `${framing}, body ${index}`);
}

/** A router for them: the ports for HTTP, and for HTTPS. */
async function start(t: TestContext): Promise<readonly [port: number, securePort: number]> {
  const pair = makePair(temporaryFolder(t), 'site.test');
  const url = await startBodies(t);
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', url] },
    // Half of the slots are for requests with a body.
    server: {
      fastLane: true,
      maxSockets: CLIENTS,
      timeouts: { connect: 60, firstByte: 120, response: 120 },
    },
    config: { https: { port: 0, key: pair.keyFile, cert: pair.certFile, bind: ['127.0.0.1'] } },
  });
  const [port = 0, securePort = 0] = router.urls.map((each) => Number(new URL(each).port));
  return [port, securePort];
}

test('160 downloads at mixed speeds, over HTTP and HTTPS, bring every byte', { skip: noOpenssl }, async (t) => {
  const [port, securePort] = await start(t);
  const fetches = [overHttp1(port, false), overHttp1(securePort, true)] as const;
  await Promise.all(Array.from({ length: CLIENTS }, (_, n) => download(fetches[n % 2 ? 0 : 1], n)));
});

test(
  '160 downloads at mixed speeds, over 8 connections of HTTP/2, bring every byte',
  { skip: noOpenssl },
  async (t) => {
    const [, securePort] = await start(t);
    const sessions = Array.from({ length: 8 }, () =>
      connect(`https://127.0.0.1:${securePort}`, { rejectUnauthorized: false }),
    );
    t.after(() => sessions.forEach((session) => session.destroy()));
    const fetches = sessions.map(overHttp2);
    await Promise.all(Array.from({ length: CLIENTS }, (_, n) => download(fetches[n % 8] as Fetch, n)));
  },
);
