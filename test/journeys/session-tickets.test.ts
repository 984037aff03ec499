/** TLS sessions that clients come back with. */
// @one-lane: handshakes end before a lane begins
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { TicketKeys } from '../../lib/cluster/master/ticket-keys.ts';
import { startBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { shakeHands } from '../support/handshakes.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
/** A session is tried so often: each worker gets some of that. */
const TRIES = 12;

async function start(t: TestContext): Promise<{ router: Router; port: number }> {
  const { keyFile, certFile } = makePair(temporaryFolder(t), 'site.test');
  const site = await startBackend(t, (_request, response) => response.end('hello'));
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', site.url] },
    server: { workers: 2 },
    config: { http: { bind: [] }, https: { port: 0, bind: '127.0.0.1', key: keyFile, cert: certFile } },
  });
  return { router, port: router.port };
}

describe('sessions', { skip: noOpenssl }, () => {
  for (const maxVersion of VERSIONS) {
    test(`${maxVersion}: a session that began in one worker goes on in every worker`, async (t) => {
      const { port } = await start(t);
      const { session, isReused } = await shakeHands(port, 'site.test', { maxVersion });
      assert.ok(session);
      assert.ok(!isReused);
      // At once: a worker that has more connections than the other pauses, so both take part.
      const again = await Promise.all(
        Array.from({ length: TRIES }, () => shakeHands(port, 'site.test', { maxVersion, session })),
      );
      assert.deepEqual(new Set(again.map((each) => each.isReused)), new Set([true]));
    });

    // The worker that goes on with it is never the one that it began in.
    test(`${maxVersion}: a reload keeps sessions`, async (t) => {
      const { port, router } = await start(t);
      const { session } = await shakeHands(port, 'site.test', { maxVersion });
      assert.ok(session);
      router.signal('SIGHUP');
      await router.event('reloaded');
      const again = await shakeHands(port, 'site.test', { maxVersion, session });
      assert.equal(again.isReused, true);
    });

    test(`${maxVersion}: a session of another router is a full handshake`, async (t) => {
      const [one, two] = [await start(t), await start(t)];
      const { session } = await shakeHands(one.port, 'site.test', { maxVersion });
      assert.ok(session);
      const { isReused, error } = await shakeHands(two.port, 'site.test', { maxVersion, session });
      assert.deepEqual([isReused, error], [false, null]);
    });
  }

  test('openssl’s own client comes back with its session', async (t) => {
    const { port } = await start(t);
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'site.test', '-reconnect', '-tls1_2'];
    const run = promisify(execFile)('openssl', args);
    run.child.stdin?.end();
    const { stdout } = await run;
    assert.equal(stdout.match(/^Reused, TLSv1\.2/gm)?.length, 5);
  });
});

test('ticket keys are others after a while', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const told: Uint8Array[] = [];
  const keys = new TicketKeys(1_000, (changed) => told.push(changed));
  const first = keys.current;
  t.mock.timers.tick(1_000);
  assert.deepEqual(told, [keys.current]);
  assert.equal(keys.current.length, 48);
  assert.notDeepEqual(keys.current, first);
  keys.close();
  t.mock.timers.tick(5_000);
  assert.equal(told.length, 1);
});
