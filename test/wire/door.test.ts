/** How connections come in: behind a load balancer that tells its clients' addresses. */
// @waits: for time limits
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { startBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { dial, send } from '../support/client.ts';
import { type Router, type RouterOptions, startRouter, temporaryFolder } from '../support/router.ts';
import { statusOf } from './scene.ts';

const GET = 'GET / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n';
const LINE = 'PROXY TCP4 192.0.2.7 198.51.100.2 40000 8443\r\n';
const BINARY = Buffer.concat([
  Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
  Buffer.from([0x21, 0x11, 0, 12, 192, 0, 2, 7, 198, 51, 100, 2, 0x9c, 0x40, 0x20, 0xfb]),
]).toString('latin1');

/** A router whose backend answers with what it was told of the client. */
async function start(t: TestContext, options: RouterOptions): Promise<Router> {
  const backend = await startBackend(t, ({ headers }, response) => {
    const { 'x-forwarded-for': chain, 'x-real-ip': client, 'x-forwarded-port': port } = headers;
    response.end(`for=${String(chain)} client=${String(client)} port=${String(port)}`);
  });
  return await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, ...options });
}

const listening = (proxyProtocol: string) => ({ http: { port: 0, bind: ['127.0.0.1'], proxyProtocol } });

test('with http.proxyProtocol "required"', async (t) => {
  const router = await start(t, { config: listening('required'), server: { timeouts: { header: 3 } } });
  const { port } = router;

  for (const [name, header] of [
    ['1', LINE],
    ['2', BINARY],
  ] as const) {
    await t.test(`a header of version ${name} tells who the client is`, async () => {
      const answer = await send(port, header + GET);
      assert.match(answer, /for=192\.0\.2\.7 client=192\.0\.2\.7 port=8443$/);
    });
  }
  await t.test('it may come in pieces', async () => {
    const client = await dial(port);
    for (const byte of LINE) {
      client.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.write(GET);
    const [answer] = (await once(client, 'data')) as [Buffer];
    assert.equal(statusOf(answer.toString('latin1')), 200);
    client.destroy();
  });
  await t.test('a client without an address is the load balancer itself', async () => {
    assert.match(await send(port, `PROXY UNKNOWN\r\n${GET}`), /client=127\.0\.0\.1/);
  });
  for (const [name, bytes] of Object.entries({
    'no header': GET,
    'a broken header': `PROXY TCP4 nonsense\r\n${GET}`,
    'a header that takes too long': 'PROXY TCP4 192.0.2.7',
    'no byte at all': '',
  })) {
    await t.test(`${name} closes the connection`, async () => {
      assert.equal(await send(port, bytes), '');
    });
  }
  await t.test('the access log names the client', async () => {
    await router.line(/^::ffff:192\.0\.2\.7 - - /);
  });
});

test('with http.proxyProtocol "optional" both kinds of connection are served', async (t) => {
  const { port } = await start(t, { config: listening('optional') });
  assert.match(await send(port, LINE + GET), /client=192\.0\.2\.7/);
  assert.match(await send(port, BINARY + GET), /client=192\.0\.2\.7/);
  assert.match(await send(port, GET), /client=127\.0\.0\.1/);
});

test('a header from an address that is not trusted is no header', async (t) => {
  const options = { server: { trustedProxies: ['192.0.2.0/24'] } };
  const optional = await start(t, { ...options, config: listening('optional') });
  assert.equal(statusOf(await send(optional.port, LINE + GET)), 400);
  assert.match(await send(optional.port, GET), /client=127\.0\.0\.1/);
  const required = await start(t, { ...options, config: listening('required') });
  assert.equal(await send(required.port, LINE + GET), '');
});

test('before a TLS handshake it tells the same', { skip: noOpenssl }, async (t) => {
  const { keyFile: key, certFile: cert } = makePair(temporaryFolder(t), 'site.test');
  const https = { port: 0, bind: ['127.0.0.1'], key, cert, proxyProtocol: 'required' };
  const { port } = await start(t, { config: { http: { bind: [] }, https } });
  const raw = await dial(port);
  raw.write(LINE);
  const socket = connectTls({ socket: raw, rejectUnauthorized: false });
  socket.write(GET);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  assert.match(text, /client=192\.0\.2\.7 port=8443$/);
});
