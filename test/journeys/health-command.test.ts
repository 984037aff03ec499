/** `hipache health`, as health checks of containers call it. */
// @one-lane: it asks the admin interface
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { adminOf } from '../support/admin.ts';
import { hipache } from '../support/command.ts';
import { makeFolder, write } from '../support/configurations.ts';
import { startRouter } from '../support/router.ts';

test('of a router that is ready it says so, by the configuration, the environment or an address', async (t) => {
  const router = await startRouter(t, { routes: {}, config: { admin: { port: 0, token: 's3cret' } } });
  const address = await adminOf(router);
  assert.ok('port' in address);
  const ready = { status: 0, stdout: 'ready\n', stderr: '' };
  // The checks need no token.
  assert.deepEqual(await hipache(['health', '--admin', `http://127.0.0.1:${address.port}`]), ready);
  assert.deepEqual(await hipache(['health', '--strict', '-c', write({ admin: { port: address.port } })]), ready);
  const env = { HIPACHE_ADMIN_PORT: String(address.port) };
  assert.deepEqual(await hipache(['health', '-c', write({})], env), ready);
  const { stdout } = await hipache(['health', '--json', '-c', write({})], env);
  assert.deepEqual(JSON.parse(stdout), { ready: true, degraded: false, reasons: [] });
});

test('of one that is not ready it says why, and fails unless --live', async (t) => {
  const reasons = ['the store does not reply to 2 of 2 workers', '2 of 2 workers know no routes'];
  const paths: (string | undefined)[] = [];
  const server = createServer(({ url }, response) => {
    paths.push(url);
    response.writeHead(503).end(JSON.stringify({ ready: false, degraded: true, reasons }));
  });
  const socket = join(makeFolder(), 'admin.sock');
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.after(() => server.close());
  const admin = ['--admin', `unix:${socket}`];
  const stdout = `not ready: ${reasons.join('; ')}\n`;
  assert.deepEqual(await hipache(['health', ...admin]), { status: 1, stdout, stderr: '' });
  assert.deepEqual(await hipache(['health', '--strict', ...admin]), { status: 1, stdout, stderr: '' });
  assert.deepEqual(await hipache(['health', '--live', ...admin]), { status: 0, stdout, stderr: '' });
  assert.deepEqual(paths, ['/readyz', '/readyz?strict=1', '/readyz']);
});

test('where nothing responds, or no address is known, it fails', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  for (const flags of [[], ['--live']]) {
    const { status, stderr } = await hipache(['health', ...flags, '--admin', `http://127.0.0.1:${port}`]);
    assert.equal(status, 1);
    assert.match(stderr, /^hipache: http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  }
  const { status, stderr } = await hipache(['health', '-c', write({})]);
  assert.deepEqual([status, / has no "admin"; add it, or give --admin URL$/m.test(stderr)], [1, true]);
  assert.equal((await hipache(['health', '--live', '--strict'])).status, 2);
});
