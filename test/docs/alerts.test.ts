/** The alert rules of docs/alerts.yml, as Prometheus reads them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { parseYaml } from '../../lib/config/yaml.ts';
import { codesOf, rowsOf } from '../support/markdown.ts';
import { missing } from '../support/tools.ts';

const read = (name: string): string => readFileSync(join(packageRoot, name), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

const { groups } = parseYaml(read('docs/alerts.yml')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);

function promtool(...args: string[]): readonly [number | null, string] {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: packageRoot, encoding: 'utf8' });
  return [status, status === 0 ? '' : stdout + stderr];
}

test('Prometheus accepts the rules', { skip: missing('promtool') }, () => {
  assert.deepEqual(promtool('check', 'rules', 'docs/alerts.yml'), [0, '']);
});

test('each alert fires when it should, and not before', { skip: missing('promtool') }, () => {
  assert.deepEqual(promtool('test', 'rules', 'test/docs/alerts.rules.yml'), [0, '']);
  const tested = read('test/docs/alerts.rules.yml');
  for (const { alert } of rules)
    assert.match(tested, new RegExp(`alertname: ${alert}\\b[^]{1,20}exp_alerts:\\n`), alert);
});

test('the rules use metrics of the router, and docs/how-to/alerts.md says what to do about each', () => {
  const metrics = new Set(rowsOf(read('docs/admin.md'), 'metric').flatMap(([name = '']) => codesOf(name)));
  const advice = rowsOf(read('docs/how-to/alerts.md'), 'alert').flatMap(([name = '']) => codesOf(name));
  assert.deepEqual(
    advice,
    rules.map(({ alert }) => alert),
  );
  for (const { alert, expr } of rules) {
    const used = expr.match(/\bhipache_\w+/g) ?? [];
    assert.ok(used.length > 0 || alert === 'HipacheDown', alert);
    for (const name of used) assert.ok(metrics.has(name), `${alert}: ${name}`);
  }
});
