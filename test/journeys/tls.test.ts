/** Clients that come over TLS. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { startBackend } from '../support/backends.ts';
import { makePair, makeSigned, noOpenssl } from '../support/certificates.ts';
import { ask, dial, send } from '../support/client.ts';
import { shakeHands } from '../support/handshakes.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

test(
  'TLS ends at the router: requests and WebSockets go on as they are, and say so',
  { skip: noOpenssl },
  async (t) => {
    const folder = temporaryFolder(t);
    const root = makePair(folder, 'root');
    const middle = makeSigned(folder, 'middle', root, true);
    const leaf = makeSigned(folder, 'site.test', middle);
    const locked = makePair(folder, 'locked.test', 'open sesame');
    const site = await startBackend(t, (request, response) => {
      const {
        'x-forwarded-proto': proto,
        'x-forwarded-protocol': protocol,
        'x-forwarded-port': port,
      } = request.headers;
      response.end([proto, protocol, port].join(' '));
    });
    const echo = await startWebSocketBackend(t);
    const router = await startRouter(t, {
      routes: { 'site.test': ['site', site.url], 'echo.test': ['echo', echo.url] },
      config: {
        https: {
          port: 0,
          // A single file, as Hipache's README has it: what leads from the certificate to the root.
          ca: middle.certFile,
          key: leaf.keyFile,
          cert: leaf.certFile,
          bind: [
            '127.0.0.1',
            { address: '127.0.0.1', key: locked.keyFile, cert: locked.certFile, passphrase: 'open sesame', ca: [] },
          ],
        },
      },
    });
    const [plainPort = 0, port = 0, lockedPort = 0] = router.urls.map((url) => Number(new URL(url).port));
    const tls = { ca: root.cert, servername: 'site.test' };

    await t.test('a client that knows the root alone is content with what is served', async () => {
      const { status, body } = await ask({ port, tls });
      assert.deepEqual([status, body], [200, `https https ${port}`]);
    });

    await t.test('a listener may have a certificate and passphrase of its own', async () => {
      const { body } = await ask({ port: lockedPort, tls: { ca: locked.cert, servername: 'locked.test' } });
      assert.equal(body, `https https ${lockedPort}`);
    });

    await t.test('plain listeners go on beside it', async () => {
      assert.equal((await ask({ port: plainPort })).body, `http http ${plainPort}`);
    });

    await t.test('errors and pings are answered over TLS too', async () => {
      assert.equal((await ask({ port, tls, host: 'unknown.test' })).status, 400);
      assert.equal((await ask({ port, tls, host: '__ping__' })).body, 'ok');
    });

    await t.test('a WebSocket over TLS goes through', async (sub) => {
      const opened = echo.opened();
      const client = openWebSocket(sub, `wss://127.0.0.1:${port}/`, 'echo.test', tls);
      const [{ request }] = await Promise.all([opened, once(client, 'open')]);
      assert.equal(request.headers['x-forwarded-proto'], 'https');
      client.send('x'.repeat(200_000));
      const [data] = (await once(client, 'message')) as [Buffer];
      assert.equal(data.length, 200_000);
    });

    await t.test('an upgrade to something else is a plain request over TLS too', async () => {
      const headers = { Connection: 'Upgrade', Upgrade: 'h2c' };
      assert.equal((await ask({ port, tls, headers })).body, `https https ${port}`);
    });

    await t.test('TLS 1.2 is spoken, and TLS 1.1 is not', async () => {
      const offer = { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' } as const;
      assert.equal((await ask({ port, tls: { ...tls, ...offer } })).status, 200);
      const old = connect({
        ...tls,
        host: '127.0.0.1',
        port,
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1',
        ciphers: 'ALL:@SECLEVEL=0',
      });
      const [error] = (await once(old, 'error')) as [NodeJS.ErrnoException];
      assert.match(String(error.code), /^ERR_SSL_/);
    });

    await t.test('suites are those of Mozilla’s intermediate profile; who prefers ChaCha20 gets it', async () => {
      assert.equal(
        await suiteAt(port, 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256'),
        'ECDHE-ECDSA-AES128-GCM-SHA256',
      );
      assert.equal(
        await suiteAt(port, 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256'),
        'ECDHE-ECDSA-CHACHA20-POLY1305',
      );
      assert.equal(await suiteAt(port, 'ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256'), null);
    });

    await t.test('who does not speak TLS, or leaves in its midst, harms nobody', async () => {
      await send(port, 'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
      const socket = await dial(port);
      socket.write(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 0x01]));
      socket.destroy();
      assert.equal((await ask({ port, tls })).status, 200);
      assert.deepEqual(
        router.log.filter(({ event }) => event === 'worker-died'),
        [],
      );
    });
  },
);

/** What a client of TLS 1.2 that has these suites, the best first, comes to speak; null for none. */
async function suiteAt(port: number, ciphers: string): Promise<string | null> {
  return (await shakeHands(port, 'site.test', { maxVersion: 'TLSv1.2', ciphers })).cipher;
}

test('a client that ends its connection within the handshake has left', { skip: noOpenssl }, async (t) => {
  const { keyFile: key, certFile: cert } = makePair(temporaryFolder(t), 'site.test');
  const server = { timeouts: { header: 3_600 } };
  const https = { port: 0, bind: ['127.0.0.1'], key, cert };
  const router = await startRouter(t, { routes: {}, server, config: { https } });
  const socket = await dial(Number(new URL(router.urls[1] ?? '').port));
  t.after(() => socket.destroy());
  const closed = once(socket, 'close');
  socket.resume();
  // The head of a record, and of a ClientHello, of which no more comes.
  socket.end(Buffer.from('16030100ff0100', 'hex'));
  await closed;
});
