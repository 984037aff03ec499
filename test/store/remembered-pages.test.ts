import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Watch } from '../../lib/store/cache/freshness.ts';
import { RememberedPages } from '../../lib/store/cache/remembered-pages.ts';
import { Turn } from '../../lib/store/turn.ts';

test('a change of pages overtakes all reads of them, also one that was sent before a wildcard changed', async () => {
  const watch = new Watch(60_000);
  watch.begin();
  const gates = new Map([404, 503].map((status) => [status, new Turn()]));
  const asked: number[] = [];
  const source = {
    find: async (_: readonly string[], status: number) => {
      asked.push(status);
      await gates.get(status)?.promise;
      return 'old';
    },
  };
  const pages = new RememberedPages({ source, watch, maxAgeMs: 60_000 });
  const early = [pages.find(['x.io'], 404)];
  watch.wildcardChanged();
  early.push(pages.find(['x.io'], 503));
  pages.doubt('x.io');
  for (const gate of gates.values()) gate.end();
  assert.deepEqual(await Promise.all(early), ['old', 'old']);
  for (const status of [404, 503, 404, 503]) await pages.find(['x.io'], status);
  assert.deepEqual(asked, [404, 503, 404, 503], 'what was read before the change is asked for again, once');
});
