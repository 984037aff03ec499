import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';
import { parseBackend } from '../../lib/core/backend-url.ts';
import { Dialer } from '../../lib/dial/dialer.ts';
import type { Dialing } from '../../lib/dial/dialing.ts';
import { type ForBackend, Pools } from '../../lib/proxy/pools.ts';
import { says, startBackend } from '../support/backends.ts';
import { deferred } from '../support/deferred.ts';
import { eventually } from '../support/eventually.ts';

test('a connection counts from the moment it is being made', async (t) => {
  const { port } = await startBackend(t, says('ok'));
  const found = deferred<readonly string[]>();
  const names = { find: () => found.promise, shun: () => {} };
  const pools = new Pools({ maxSockets: 3, keepAlive: true, dialer: new Dialer({ verify: true, ca: [] }, names) });
  t.after(() => pools.close());
  const parsed = parseBackend(`http://a.test:${port}`, 0);
  assert.ok('backend' in parsed);
  const { backend } = parsed;
  const dialings: Dialing[] = [];
  const ask = () => {
    const options: ForBackend & { agent: unknown } = {
      backend,
      agent: pools.agent,
      onDialing: (dialing) => dialings.push(dialing),
    };
    return request(options)
      .on('error', () => {})
      .end();
  };
  const requests = [ask(), ask(), ask()];
  assert.equal(pools.open(backend), 3);
  // One is called off while it waits for the name.
  requests[1]?.destroy();
  dialings[1]?.cancel();
  dialings[1]?.cancel();
  assert.equal(pools.open(backend), 2);
  found.resolve(['127.0.0.1']);
  for (const each of [requests[0], requests[2]]) if (each) (await once(each, 'response'))[0].resume();
  await eventually(() => assert.equal(pools.idle, 2));
  assert.equal(pools.open(backend), 2);
  for (const dialing of dialings) dialing.cancel();
  assert.equal(pools.open(backend), 2, 'calling off what is there changes nothing');
});
