/** HTTP/2 of clients that name no host in their TLS handshake, as load balancers do. */
import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { describe, test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { makePair, makeSigned, noOpenssl } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { noHaproxy, startHaproxy } from '../support/load-balancers.ts';
import { openSession, request } from '../support/http2.ts';
import { freePort } from '../support/ports.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';

/** A router whose certificate is good for `site.test` alone, and three sites. Backends tell what they were told. */
async function startSites(t: TestContext, https: object = {}): Promise<Router> {
  const backend = await startBackend(t, ({ headers }, response) => {
    response.end([headers.host, headers['x-ssl-client-dn'] ?? 'no certificate'].join(', '));
  });
  const pair = makePair(temporaryFolder(t), 'site.test');
  const routes = Object.fromEntries(['site', 'other', 'third'].map((name) => [`${name}.test`, [name, backend.url]]));
  const section = { port: 0, bind: ['127.0.0.1'], key: pair.keyFile, cert: pair.certFile, ...https };
  return await startRouter(t, { routes, config: { http: { bind: [] }, https: section } });
}

/** Names no host. */
const NAMELESS = { rejectUnauthorized: false };

describe('HTTP/2 without a name in the handshake', { skip: noOpenssl }, () => {
  test('every host is served: a new connection would be the same', async (t) => {
    const router = await startSites(t);
    const session = await openSession(t, router.port, NAMELESS);
    for (const host of ['site.test', 'other.test', `third.test:${router.port}`]) {
      const { status, body } = await request(session, { ':authority': host });
      assert.deepEqual([status, body], [200, `${host}, no certificate`]);
    }
    const { status } = await request(session, { ':authority': 'nobody.test' });
    assert.equal(status, 400, 'unknown hosts are told so');
    await router.line(/"GET \/ HTTP\/2\.0" 400 /);
  });

  test('with a name, a host that the certificate does not name is 421, and its ticket is none without a name', async (t) => {
    const router = await startSites(t);
    const named = { ...NAMELESS, servername: 'site.test' };
    let ticket: Buffer | undefined;
    const first = connect(`https://127.0.0.1:${router.port}`, named);
    first.on('error', () => {});
    t.after(() => first.destroy());
    first.socket.on('session', (session: Buffer) => (ticket = session));
    assert.equal((await request(first, { ':authority': 'other.test' })).status, 421);
    assert.equal((await request(first, { ':authority': 'site.test' })).status, 200);
    assert.ok(ticket);
    // A ticket of a connection that named a host begins no connection that names none.
    const second = await openSession(t, router.port, { ...NAMELESS, session: ticket });
    assert.equal((await request(second, { ':authority': 'other.test' })).status, 200);
  });

  test('an address that asks for client certificates asks these clients, too', async (t) => {
    const folder = temporaryFolder(t);
    const root = makePair(folder, 'root');
    const { key, cert } = makeSigned(folder, 'client', root);
    const { key: otherKey, cert: otherCert } = makeSigned(folder, 'other', makePair(folder, 'another root'));
    const required = await startSites(t, { clientCa: root.certFile });
    for (const shown of [{}, { key: otherKey, cert: otherCert }]) {
      const session = connect(`https://127.0.0.1:${required.port}`, { ...NAMELESS, ...shown });
      session.on('error', () => {});
      t.after(() => session.destroy());
      const { status } = await request(session, { ':authority': 'other.test' });
      assert.equal(status, 0, 'nothing was answered');
    }
    assert.ok(!required.lines.some((line) => line.includes('HTTP/2.0')));
    const session = await openSession(t, required.port, { ...NAMELESS, key, cert });
    const { status, body } = await request(session, { ':authority': 'other.test' });
    assert.deepEqual([status, body], [200, 'other.test, CN=client']);
  });

  test('HAProxy that speaks HTTP/2 over TLS without SNI reaches every host', { skip: noHaproxy }, async (t) => {
    const router = await startSites(t);
    const port = await freePort();
    const server = `server r1 127.0.0.1:${router.port} ssl verify none alpn h2`;
    await startHaproxy(t, port, `backend routers\n  ${server}`);
    for (const host of ['site.test', 'other.test', 'third.test']) {
      const { status, body } = await ask({ port, host });
      assert.deepEqual([status, body], [200, `${host}, no certificate`]);
    }
    await router.line(/"GET \/ HTTP\/2\.0" 200 /);
  });
});
