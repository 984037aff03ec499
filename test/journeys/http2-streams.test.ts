/** A client of HTTP/2 may use all the streams that it was told of, at any time. */
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { test } from 'node:test';
import { adminOf, askAdmin } from '../support/admin.ts';
import { startBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { FRAME, GET, openSession, RawHttp2, request } from '../support/http2.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { startSlowBackend } from '../support/slow.ts';

const STREAMS = 100;
/** More than a socket takes at once: an answer's last bytes are still on their way when its client has its end. */
const BIG = Buffer.alloc(100 * 1024, 'x');
const WINDOW = 2 ** 30;

/** What streams ended with, and how many of each. */
class Ends {
  readonly counts = new Map<string, number>();

  add(status: number, code: number): void {
    const end = `${status} ${code}`;
    this.counts.set(end, (this.counts.get(end) ?? 0) + 1);
  }
}

test(
  'a client that has all its streams open, one after the other, has none refused',
  { skip: noOpenssl },
  async (t) => {
    const backend = await startBackend(t, (_message, response) => response.end(BIG));
    const pair = makePair(temporaryFolder(t), 'site.test');
    const router = await startRouter(t, {
      routes: { 'site.test': ['site', backend.url] },
      server: { maxSockets: 1_000 },
      config: { http: { bind: [] }, https: { port: 0, bind: '127.0.0.1', key: pair.keyFile, cert: pair.certFile } },
    });
    const ends = new Ends();
    const perSession = 500;
    const load = async (): Promise<void> => {
      const settings = { initialWindowSize: WINDOW };
      const session = await openSession(t, router.port, { ca: pair.cert, servername: 'site.test', settings });
      session.setLocalWindowSize(WINDOW);
      assert.equal(session.remoteSettings.maxConcurrentStreams, STREAMS);
      let left = perSession;
      const one = async (): Promise<void> => {
        while (left-- > 0) {
          const { status, code } = await request(session);
          ends.add(status, code);
        }
      };
      await Promise.all(Array.from({ length: STREAMS }, one));
      session.close();
    };
    await Promise.all(Array.from({ length: 6 }, load));
    assert.deepEqual([...ends.counts], [[`200 ${constants.NGHTTP2_NO_ERROR}`, 6 * perSession]]);
  },
);

test('what is refused before there is a request is counted and logged', async (t) => {
  const backend = await startSlowBackend(t);
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { maxSockets: 1_000 },
    config: { http: { port: 0, bind: ['127.0.0.1'], http2: true }, admin: { port: 0 } },
  });
  const malformed = await RawHttp2.open(t, router.port);
  malformed.headers(13, GET);
  malformed.headers(15, [...GET, ['connection', 'close']]);
  malformed.headers(17, [...GET, ['Upper', 'case']]);
  malformed.headers(19, GET);
  await router.until('two', () => router.log.filter(({ event }) => event === 'http2-refused').length === 2);
  for (const refused of router.log.filter(({ event }) => event === 'http2-refused')) {
    assert.deepEqual([refused['code'], refused['count'], refused['client']], ['http2-stream', 1, '127.0.0.1']);
  }

  const from = router.log.length;
  const confused = await RawHttp2.open(t, router.port);
  confused.write(FRAME.data, 0, 0, Buffer.from('data of no stream'));
  assert.equal(await confused.goawayCode(), constants.NGHTTP2_PROTOCOL_ERROR);
  assert.equal((await router.event('http2-refused', from))['code'], 'http2-session');
  await confused.closed;

  const admin = await adminOf(router);
  await eventually(async () => {
    const { text } = await askAdmin(admin, '/metrics');
    assert.match(text, /^hipache_refused_total\{reason="http2-stream"\} 2$/m);
    assert.match(text, /^hipache_refused_total\{reason="http2-session"\} 1$/m);
  });
});
