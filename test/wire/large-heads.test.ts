/** Large heads of responses, and many fields in them and in requests: all of it is sent on, or refused with a logged 502. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { openSession, request } from '../support/http2.ts';
import { startRouter } from '../support/router.ts';
import { startScene } from './scene.ts';

const H2C = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };

/** A head of so many bytes, its empty line included. */
function headOf(bytes: number): string {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: \r\n\r\n';
  return head.replace('X-A: ', `X-A: ${'a'.repeat(bytes - head.length)}`);
}

function fieldsOf(count: number): string {
  return Array.from({ length: count }, (_, i) => `F${i}: ${i}\r\n`).join('');
}

const HEADS: Readonly<Record<string, string>> = {
  '18-KB': headOf(18_000),
  '32-KiB': headOf(32_768),
  'a-byte-more': headOf(32_769),
  '100-KB': headOf(100_000),
  '2100-fields': `HTTP/1.1 200 OK\r\n${fieldsOf(2_100)}Content-Length: 2\r\n\r\n`,
  '1500-fields-with-bare-LF': `HTTP/1.1 200 OK\r\n${fieldsOf(1_500)}Content-Length: 2\n\n`,
};
const TOO_LARGE = new Set(['a-byte-more', '100-KB']);

test('a response whose head has', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.on('data', (head) => {
      const name = /^GET \/([^ ]*) /.exec(head.toString('latin1'))?.[1] ?? '';
      socket.write(`${HEADS[name] ?? ''}ok`);
    });
    socket.on('end', () => socket.end());
  });
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, config: H2C });
  const session = await openSession(t, router.port);
  for (const [name, head] of Object.entries(HEADS)) {
    const fields = head.match(/^F[0-9]+: .*$/gm) ?? [];
    if (TOO_LARGE.has(name)) {
      await t.test(`${name} is a 502 with a reason in the log`, async () => {
        const from = router.log.length;
        assert.equal((await ask({ port: router.port, path: `/${name}` })).status, 502);
        assert.match(String((await router.event('refused', from))['why']), /too large/);
        assert.equal((await request(session, { ':path': `/${name}` })).status, 502);
      });
      continue;
    }
    await t.test(`${name} is sent on whole`, async () => {
      const line = `GET /${name} HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n`;
      const text = await send(router.port, line);
      assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
      assert.deepEqual(text.match(/^F[0-9]+: .*(?=\r$)/gm) ?? [], fields);
      assert.equal(/^X-A: (a+)/m.exec(text)?.[1]?.length, /^X-A: (a+)/m.exec(head)?.[1]?.length);
    });
  }
  await t.test('18-KB, or many fields, is sent on to HTTP/2', async () => {
    const large = await request(session, { ':path': '/18-KB' });
    assert.deepEqual([large.status, large.body, large.headers['x-a']?.length], [200, 'ok', 18_000 - 45]);
  });
});

test('many fields are sent on to an HTTP/2 client that takes them', async (t) => {
  const { port } = await startScene(t, { config: H2C }, `${HEADS['2100-fields']}ok`);
  const session = await openSession(t, port, undefined, { maxHeaderListPairs: 8_000 });
  const { status, headers } = await request(session);
  assert.deepEqual([status, headers['f2099']], [200, '2099']);
});

test('many fields of an HTTP/2 backend’s response are sent on', async (t) => {
  const backend = await startHttp2Backend(t, (stream) => {
    // 40 KiB, as HTTP/2 counts them: docs/backends.md has the bound.
    const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}`, String(i)]));
    stream.respond({ ':status': 200, ...fields });
    stream.end('ok');
  });
  const { port } = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const text = await send(port, 'GET / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n');
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.equal(text.match(/^f[0-9]+: /gm)?.length, 1_000);
});

test('a request with 2,100 fields reaches the backend whole', async (t) => {
  const scene = await startScene(t, { server: { limits: { headerBytes: 65_536 } } });
  await send(scene.port, `GET / HTTP/1.1\r\nHost: site.test\r\n${fieldsOf(2_100)}Connection: close\r\n\r\n`);
  const [received] = scene.requests();
  assert.equal(received?.fields.filter(([name]) => /^F[0-9]+$/.test(name)).length, 2_100);
});
