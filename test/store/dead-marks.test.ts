import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildRoute, NO_MARKS } from '../../lib/core/routing/backend.ts';
import type { Death } from '../../lib/core/routing/types.ts';
import { DeadMarks, markOf } from '../../lib/store/dead-marks.ts';
import { UnfiledDeaths } from '../../lib/store/cache/unfiled-deaths.ts';

const LIST = ['x', 'http://10.0.0.1', 'http://10.0.0.2'];

function deathOf(frontend: string, key = frontend): Death {
  const route = buildRoute(frontend, key, LIST, NO_MARKS, () => {});
  const [backend] = route.backends;
  assert.ok(backend);
  return { route, backend };
}

test("marks of hosts that clients make up under a wildcard push out their own site's oldest, and no other's", () => {
  const marks = new DeadMarks(() => 0);
  const { backends } = deathOf('other.io').route;
  marks.add(markOf(deathOf('other.io'), 30, 0));
  for (let i = 0; i < 30_000; i++) marks.add(markOf(deathOf(`${i}.wild.io`, '*.wild.io'), 30, 0));
  assert.ok(marks.list(null).length <= 10_000, `${marks.list(null).length}`);
  assert.deepEqual([...marks.among(backends, 'other.io').dead], [0]);
  assert.deepEqual([...marks.among(backends, '29999.wild.io').dead], [0]);
  assert.deepEqual([...marks.among(backends, '0.wild.io').dead], []);
});

test('deaths that wait for Redis likewise', () => {
  const deaths = new UnfiledDeaths(
    () => Promise.reject(new Error('down')),
    () => 0,
  );
  const { backends } = deathOf('other.io').route;
  deaths.add(deathOf('other.io'), 30);
  for (let i = 0; i < 30_000; i++) deaths.add(deathOf(`${i}.wild.io`, '*.wild.io'), 30);
  assert.ok(deaths.marks(null).length <= 10_000);
  assert.deepEqual([...deaths.among(backends, 'other.io')], [0]);
  deaths.close();
});
