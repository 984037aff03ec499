/** Clients that show a certificate of their own. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';
import { startBackend } from '../support/backends.ts';
import { makePair, makeSigned, noOpenssl, type Pair } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { shakeHands } from '../support/handshakes.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

const FORGED = {
  'X-SSL-Client-Verify': 'SUCCESS',
  'X-SSL-Client-DN': 'CN=forged',
  X_SSL_Client_Verify: 'SUCCESS',
  'x-ssl_client-cert': 'forged',
};

interface Scene {
  readonly root: Pair;
  readonly own: Pair;
  readonly client: Pair;
  readonly other: Pair;
  readonly stranger: Pair;
}

function makeScene(t: TestContext): Scene {
  const folder = temporaryFolder(t);
  const root = makePair(folder, 'root');
  const strangersRoot = makePair(folder, 'strangers root');
  return {
    root,
    own: makePair(folder, 'site.test'),
    client: makeSigned(folder, 'client', root),
    other: makeSigned(folder, 'other', root),
    stranger: makeSigned(folder, 'stranger', strangersRoot),
  };
}

async function start(t: TestContext, { root, own }: Scene, https: Readonly<Record<string, unknown>>): Promise<number> {
  const site = await startBackend(t, (request, response) => {
    const names = Object.keys(request.headers).filter((name) => name.replaceAll('_', '-').startsWith('x-ssl-client'));
    response.end(JSON.stringify(Object.fromEntries(names.map((name) => [name, request.headers[name]]))));
  });
  const echo = await startWebSocketBackend(t);
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', site.url], 'echo.test': ['echo', echo.url] },
    config: {
      http: { bind: [] },
      https: { port: 0, bind: '127.0.0.1', key: own.keyFile, cert: own.certFile, clientCa: root.certFile, ...https },
    },
  });
  return router.port;
}

async function told(port: number, shown: Pair | null, headers = {}): Promise<Record<string, string>> {
  const tls = {
    rejectUnauthorized: false,
    servername: 'site.test',
    ...(shown && { key: shown.key, cert: shown.cert }),
  };
  const { body } = await ask({ port, tls, headers });
  return JSON.parse(body) as Record<string, string>;
}

describe('clients with certificates', { skip: noOpenssl }, () => {
  test('backends are told of it, in fields that no client can forge, whatever lane serves', async (t) => {
    const scene = makeScene(t);
    const port = await start(t, scene, { clientCert: 'optional', clientCertPem: true });
    assert.deepEqual(await told(port, null), { 'x-ssl-client-verify': 'NONE' });
    assert.deepEqual(await told(port, null, FORGED), { 'x-ssl-client-verify': 'NONE' });
    // X-Debug is for the full lane alone.
    assert.deepEqual(await told(port, null, { ...FORGED, 'X-Debug': '1' }), { 'x-ssl-client-verify': 'NONE' });
    const { serialNumber, fingerprint256 } = new X509Certificate(scene.client.cert);
    for (const headers of [{}, FORGED, { ...FORGED, 'X-Debug': '1' }]) {
      const fields = await told(port, scene.client, headers);
      assert.deepEqual(fields, {
        'x-ssl-client-verify': 'SUCCESS',
        'x-ssl-client-dn': 'CN=client',
        'x-ssl-client-issuer-dn': 'CN=root',
        'x-ssl-client-serial': serialNumber,
        'x-ssl-client-fingerprint': fingerprint256.replaceAll(':', '').toLowerCase(),
        'x-ssl-client-cert': fields['x-ssl-client-cert'],
      });
      assert.equal(
        decodeURIComponent(fields['x-ssl-client-cert'] ?? ''),
        new X509Certificate(scene.client.cert).toString(),
      );
    }
    // From the same address, one after the other.
    assert.equal((await told(port, scene.other))['x-ssl-client-dn'], 'CN=other');
  });

  test('an authority that is not ours lets nobody in, and where it is required, neither does none', async (t) => {
    const scene = makeScene(t);
    const [optional, required] = [
      await start(t, scene, { clientCert: 'optional' }),
      await start(t, scene, { clientCert: 'required' }),
    ];
    await assert.rejects(told(optional, scene.stranger));
    await assert.rejects(told(required, scene.stranger));
    await assert.rejects(told(required, null));
    assert.equal((await told(required, scene.client))['x-ssl-client-dn'], 'CN=client');
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const tls = { rejectUnauthorized: false, servername: 'site.test', maxVersion };
      await assert.rejects(ask({ port: required, tls }), { message: /SSL alert number/ });
    }
  });

  test('a session that is resumed still is that client’s; one from a listener that checks otherwise is not', async (t) => {
    const scene = makeScene(t);
    const bind = [
      '127.0.0.1',
      {
        address: '127.0.0.1',
        clientCa: [makePair(temporaryFolder(t), 'another root').certFile],
        clientCert: 'optional',
      },
    ];
    const site = await startBackend(t, ({ headers }, response) => response.end(String(headers['x-ssl-client-dn'])));
    const router = await startRouter(t, {
      routes: { 'site.test': ['site', site.url] },
      config: {
        http: { bind: [] },
        https: { port: 0, bind, key: scene.own.keyFile, cert: scene.own.certFile, clientCa: scene.root.certFile },
      },
    });
    const [port = 0, otherPort = 0] = router.urls.map((url) => Number(new URL(url).port));
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { cert, key } = scene.client;
      const { session } = await shakeHands(port, 'site.test', { cert, key, maxVersion });
      assert.ok(session);
      assert.deepEqual(await dnOf(port, { session, maxVersion, cert, key }), [true, 'CN=client']);
      assert.deepEqual(await dnOf(otherPort, { session, maxVersion }), [false, 'undefined']);
    }
  });

  test('where the certificate of the site is from Redis, clients are checked by the same authorities', async (t) => {
    const scene = makeScene(t);
    const redis = await startRedis(t);
    const site = await startBackend(t, ({ headers }, response) => response.end(String(headers['x-ssl-client-dn'])));
    await redis.cli('rpush', 'frontend:site.test', 'site', site.url);
    await redis.cli('hset', 'tls:site.test', 'certificate', scene.own.cert, 'key', scene.own.key);
    const router = await startRouter(t, {
      config: {
        driver: `redis://127.0.0.1:${redis.port}`,
        http: { bind: [] },
        https: { port: 0, bind: '127.0.0.1', clientCa: scene.root.certFile },
      },
    });
    const { cert, key } = scene.client;
    assert.deepEqual(await dnOf(router.port, { cert, key }), [false, 'CN=client']);
    await assert.rejects(told(router.port, scene.stranger));
    await assert.rejects(told(router.port, null));
  });

  test('a WebSocket’s backend is told, too', async (t) => {
    const scene = makeScene(t);
    const site = await startWebSocketBackend(t);
    const router = await startRouter(t, {
      routes: { 'echo.test': ['echo', site.url] },
      config: {
        http: { bind: [] },
        https: {
          port: 0,
          bind: '127.0.0.1',
          key: scene.own.keyFile,
          cert: scene.own.certFile,
          clientCa: scene.root.certFile,
        },
      },
    });
    const { key, cert } = scene.client;
    const opened = site.opened();
    const tls = { key, cert, rejectUnauthorized: false };
    const client = openWebSocket(t, `wss://127.0.0.1:${router.port}/`, 'echo.test', tls);
    const [{ request }] = await Promise.all([opened, once(client, 'open')]);
    assert.equal(request.headers['x-ssl-client-dn'], 'CN=client');
  });
});

/** Whether the session was resumed, and what the backend was told. */
async function dnOf(port: number, options: ConnectionOptions): Promise<readonly [boolean, string]> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'site.test', rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  const isReused = socket.isSessionReused();
  socket.write('GET / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return [
    isReused,
    text
      .split('\r\n\r\n')[1]
      ?.split('\r\n')
      .find((line) => /CN=|undefined/.test(line)) ?? text,
  ];
}
