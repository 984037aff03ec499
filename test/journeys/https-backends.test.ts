/** Backends that are spoken to over TLS. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { says, startBackend, startSecureBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { askUntilDead } from '../support/deaths.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

test('an https backend is spoken to over TLS, if it can prove its name', { skip: noOpenssl }, async (t) => {
  const folder = temporaryFolder(t);
  const known = makePair(folder, 'localhost');
  let connections = 0;
  const good = await startSecureBackend(t, known, 'localhost', (request, response) => {
    const { host, 'x-forwarded-proto': proto } = request.headers;
    let length = 0;
    request.on('data', (chunk: Buffer) => (length += chunk.length));
    request.on('end', () => response.end(`${host} ${String(proto)} ${length}`));
  });
  good.server.on('secureConnection', () => connections++);
  const unknown = await startSecureBackend(t, makePair(temporaryFolder(t), 'localhost'), 'localhost', says('never'));
  const misnamed = await startSecureBackend(t, known, '127.0.0.1', says('never'));
  const plain = await startBackend(t, says('plain'));
  const router = await startRouter(t, {
    routes: {
      'good.test': ['good', `${good.url}/ignored`],
      'unknown.test': ['unknown', unknown.url],
      'misnamed.test': ['misnamed', misnamed.url],
      'no-tls.test': ['no tls', plain.url.replace('http:', 'https:')],
      'some.test': ['some', unknown.url, good.url],
    },
    env: { NODE_EXTRA_CA_CERTS: known.certFile },
  });
  const { port } = router;

  await t.test('requests with and without a body go through, on one connection', async () => {
    assert.equal((await ask({ port, host: 'good.test' })).body, 'good.test http 0');
    const body = Buffer.alloc(1_000_000, 'x');
    assert.equal((await ask({ port, host: 'good.test', method: 'POST', body })).body, 'good.test http 1000000');
    assert.equal(connections, 1);
  });

  for (const host of ['unknown.test', 'misnamed.test', 'no-tls.test']) {
    await t.test(`${host} is 502: nothing is sent to whom the router does not know`, async () => {
      const { status, headers } = await ask({ port, host, headers: { 'X-Debug': '1' } });
      assert.deepEqual([status, headers['x-debug-error']], [502, 'Reached max retries limit']);
    });
  }

  await t.test('a backend that cannot prove its name is dead, and even a POST goes to the next one', async () => {
    const death = await askUntilDead(router, { host: 'some.test', method: 'POST', body: 'ok' });
    assert.equal(death['backend'], unknown.url);
    assert.match(String(death['why']), /^self-signed certificate/);
    for (let i = 0; i < 10; i++) {
      assert.equal((await ask({ port, host: 'some.test', method: 'POST', body: 'ok' })).body, 'some.test http 2');
    }
  });
});
