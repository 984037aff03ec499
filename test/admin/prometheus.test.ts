import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { prometheusText } from '../../lib/admin/prometheus.ts';
import { Totals } from '../../lib/admin/totals.ts';
import { packageRoot } from '../../lib/config/package.ts';
import { codesOf, rowsOf } from '../support/markdown.ts';

const READINESS = { isReady: true, isDegraded: false, reasons: [] };
const CHANGES = { reload: null, upgrade: null, routes: null, logs: null, snapshot: null };

test('docs/admin.md tells of every metric, and of no other', async () => {
  const text = await prometheusText(new Totals({ topN: 1, backends: 0 }, () => 0), [], READINESS, CHANGES);
  const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name);
  const told = rowsOf(readFileSync(join(packageRoot, 'docs/admin.md'), 'utf8'), 'metric').flatMap(([name = '']) =>
    codesOf(name),
  );
  assert.ok(names.length > 15);
  assert.deepEqual([...told].toSorted(), names.toSorted());
});
