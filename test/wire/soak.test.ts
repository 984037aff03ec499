/** Many requests, some of which end badly: nothing is left behind. `SOAK=200000 npm test -- soak` for a long one. */
import assert from 'node:assert/strict';
import { Agent, type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { noProc, openFilesOf, residentBytes, workerOf } from '../support/processes.ts';
import { startRouter } from '../support/router.ts';

const REQUESTS = Number(process.env['SOAK'] ?? 6_000);
const PARALLEL = 32;

/** What happens to the nth request: one in a hundred of each kind of trouble. */
function kindOf(n: number): 'abort' | 'reset' | 'error' | 'upload' | 'plain' {
  return ([undefined, 'abort', 'reset', 'error', 'upload'] as const)[n % 100] ?? 'plain';
}

function run(port: number, agent: Agent, n: number): Promise<void> {
  return new Promise((resolve) => {
    const kind = kindOf(n);
    const method = kind === 'upload' ? 'POST' : 'GET';
    const out = request({ host: '127.0.0.1', port, agent, method, path: `/${kind}`, headers: { host: 'site.test' } });
    out.once('response', (answer: IncomingMessage) => {
      // Half of those that leave do so within the answer.
      if (kind === 'abort') out.destroy();
      answer.resume().once('close', resolve);
    });
    out.once('error', () => resolve());
    out.end(kind === 'upload' ? 'a'.repeat(100_000) : undefined);
    if (kind === 'abort' && n % 200 < 100) setImmediate(() => out.destroy());
  });
}

test(`${REQUESTS} requests`, { skip: noProc }, async (t) => {
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/reset') incoming.socket.resetAndDestroy();
    else if (incoming.url === '/error') response.writeHead(500).end('broken');
    else if (incoming.url === '/abort') setTimeout(() => response.end('a'.repeat(200_000)), 5);
    else incoming.resume().once('end', () => response.end('ok'));
  });
  const server = { accessLog: 'none', deadBackendTTL: 1 };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server });
  const pid = workerOf(router);
  const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL });
  t.after(() => agent.destroy());
  const descriptors = (): number => openFilesOf(pid);
  const before = descriptors();

  let next = 0;
  let early = 0;
  async function lane(): Promise<void> {
    while (next < REQUESTS) {
      const n = next++;
      if (n === Math.floor(REQUESTS / 10)) early = residentBytes(pid);
      await run(router.port, agent, n);
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  const late = residentBytes(pid);
  agent.destroy();
  backend.server.closeAllConnections();

  assert.equal((await ask({ port: router.port })).status, 200);
  assert.equal(workerOf(router), pid, 'the same worker serves');
  assert.equal(
    router.log.find(({ event }) => event === 'worker-mistake' || event === 'worker-died'),
    undefined,
  );
  t.diagnostic(`memory ${early} bytes after a tenth, ${late} at the end; ${before} descriptors before`);
  // A young heap still grows to its working size; over a long run it must not.
  const allowance = REQUESTS >= 200_000 ? 1.2 : 2;
  assert.ok(late < early * allowance, `${late} bytes at the end, ${early} after a tenth`);
  await router.until('descriptors back to the start', () => descriptors() <= before + 2);
});
