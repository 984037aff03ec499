/** How long a backend stays dead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { askUntilDead } from '../support/deaths.ts';
import { startRouter } from '../support/router.ts';

const TTL_MS = 1_000;

test('a dead backend is asked again after deadBackendTTL, and not before', async (t) => {
  let isIll = true;
  const askedAt: number[] = [];
  const good = await startBackend(t, says('good'));
  const ill = await startBackend(t, (_request, response) => {
    askedAt.push(Date.now());
    response.writeHead(isIll ? 502 : 200).end('was ill');
  });
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', ill.url, good.url] },
    server: { deadBackendTTL: TTL_MS / 1_000 },
  });
  const death = await askUntilDead(router, { host: 'site.test' });
  assert.equal(death['ttlSeconds'], TTL_MS / 1_000);
  isIll = false;
  // Until the mark is made, more than one request may get here.
  const asked = askedAt.length;
  for (let i = 0; i < 1_000 && askedAt.length === asked; i++) {
    await ask({ port: router.port });
    await delay(10);
  }
  const [diedAt = 0] = askedAt;
  const backAt = askedAt[asked] ?? 0;
  assert.ok(backAt - diedAt >= TTL_MS, `asked again after ${backAt - diedAt} ms`);
});
