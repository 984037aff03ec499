/** Clients that read slowly: what is held for them, and how slow they may be. */
// @waits: for readers that are slow
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { deferred } from '../support/deferred.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

const HTTP2 = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };

interface SlowRead {
  readonly bytes: number;
  /** Whether it got all of the response. */
  readonly isWhole: boolean;
}

/** Reads a response over HTTP/2, so many bytes each 40 ms, from the first one on or from `begin` on. */
async function read(
  t: TestContext,
  port: number,
  host: string,
  bytesEach: number,
  begin: Promise<unknown> = Promise.resolve(),
): Promise<SlowRead> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  t.after(() => session.destroy());
  const stream = session.request({ ':authority': host, ':path': '/body' });
  stream.on('error', () => {});
  stream.pause();
  let bytes = 0;
  void begin.then(() => {
    const timer = setInterval(() => {
      const chunk = (stream.read(bytesEach) ?? stream.read()) as Buffer | null;
      bytes += chunk?.length ?? 0;
    }, 40);
    stream.once('close', () => clearInterval(timer));
  });
  let hasEnded = false;
  stream.once('end', () => (hasEnded = true));
  await new Promise((resolve) => stream.once('close', resolve));
  return { bytes, isWhole: hasEnded && stream.rstCode === 0 };
}

for (const kind of ['http', 'h2c'] as const) {
  test(`a response of 300 KB is read from a backend whose client takes nothing yet, ${kind}`, async (t) => {
    const body = Buffer.alloc(300_000, 'a');
    const backend =
      kind === 'http'
        ? await startBackend(t, (_request, response) => response.end(body))
        : await startHttp2Backend(
            t,
            (stream) => {
              stream.respond({ ':status': 200 });
              stream.end(body);
            },
            { settings: { maxConcurrentStreams: 1 } },
          );
    const server = { maxSockets: 1, timeouts: { connect: 10 } };
    const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server, config: HTTP2 });
    const { port } = router;
    const { promise: begin, resolve: goOn } = deferred<void>();
    const slow = Array.from({ length: 4 }, () => read(t, port, 'site.test', 65_536, begin));
    // The backend has one slot, and nobody gives it up for others.
    for (let i = 0; i < 4; i++) assert.equal((await ask({ port })).body.length, body.length);
    goOn();
    for (const { bytes, isWhole } of await Promise.all(slow)) assert.deepEqual([bytes, isWhole], [body.length, true]);
    assert.equal(
      router.log.find(({ event }) => event === 'client-cut'),
      undefined,
    );
  });
}

for (const kind of ['http', 'file'] as const) {
  test(`a client that reads more slowly than the least rate is cut off, and logged, ${kind}`, async (t) => {
    const body = Buffer.alloc(2_000_000, 'a');
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'body'), body);
    const backend = await startBackend(t, (_request, response) => response.end(body));
    const routes = { 'site.test': ['site', kind === 'http' ? backend.url : `file://${folder}`] };
    const reading = async (readMinRate: number): Promise<[SlowRead, string | undefined]> => {
      // What is to be whole has time for a process that stands still for a moment.
      const timeouts = { response: readMinRate === 0 ? 3 : 1 };
      const server = { timeouts, limits: { readMinRate }, staticRoots: [folder] };
      const router = await startRouter(t, { routes, server, config: HTTP2 });
      // About 500,000 bytes a second.
      const result = await read(t, router.port, 'site.test', 20_000);
      if (!result.isWhole) await router.event('client-cut');
      const cut = router.log.find(({ event }) => event === 'client-cut');
      await router.stop();
      return [result, cut?.['code'] as string | undefined];
    };
    const [patient, none] = await reading(0);
    assert.deepEqual([patient.bytes, patient.isWhole, none], [body.length, true, undefined]);
    const [impatient, code] = await reading(10_000_000);
    assert.deepEqual([impatient.isWhole, code], [false, 'slow-reader']);
    assert.ok(impatient.bytes > 0 && impatient.bytes < body.length, `${impatient.bytes} bytes`);
  });
}

test('a response that is slow because its backend is has no least rate', async (t) => {
  const backend = await startBackend(t, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    let left = 30;
    const timer = setInterval(() => (left-- > 0 ? response.write('data: x\n\n') : response.end()), 100);
    response.once('close', () => clearInterval(timer));
  });
  const server = { timeouts: { response: 2 }, limits: { readMinRate: 1_000_000 } };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server, config: HTTP2 });
  const [plain, stream] = await Promise.all([ask({ port: router.port }), read(t, router.port, 'site.test', 65_536)]);
  assert.equal(plain.body, 'data: x\n\n'.repeat(30));
  assert.equal(stream.isWhole, true);
});
