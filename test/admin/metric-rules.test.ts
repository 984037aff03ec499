/** Metrics keep to Prometheus's rules, so that `promtool check metrics` has nothing to say. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { prometheusText } from '../../lib/admin/prometheus.ts';
import type { Answer } from '../../lib/admin/questions.ts';
import { Totals } from '../../lib/admin/totals.ts';
import { BackendStates } from '../../lib/backends/state/backend-states.ts';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { WorkerMetrics } from '../../lib/observe/worker-metrics.ts';
import { metricFaults } from '../support/metric-rules.ts';

const noPromtool = spawnSync('promtool', ['--version']).status === 0 ? false : 'promtool is not installed';

const MADE = { at: 1, reason: null, madeAt: 1 };
const MASTER = {
  pid: 1,
  upSeconds: 1,
  residentBytes: 1,
  listening: [],
  workers: 1,
  isStopping: false,
  hasRoutes: true,
  changes: { reload: MADE, upgrade: MADE, routes: MADE, logs: MADE, snapshot: MADE },
};

/** All metrics, each with a value and all of its labels. */
async function allMetrics(t: TestContext): Promise<string> {
  const metrics = new WorkerMetrics(10, { opened: 1, reused: 1 });
  t.after(() => metrics.close());
  metrics.passed({
    clientIp: '',
    method: 'GET',
    target: '/',
    bytes: 1,
    referer: undefined,
    userAgent: undefined,
    host: 'x',
    backend: null,
    name: 'a "quoted" site',
    status: 200,
    totalMs: 10,
    backendMs: 5,
  });
  metrics.refused('no-backend');
  metrics.cut('slow-reader');
  metrics.closed('full');
  metrics.checked(true);
  metrics.store.answered(2, 3);
  const totals = new Totals({ topN: 10, backends: 10 }, () => 0);
  const own = {
    connections: 1,
    exchanges: 1,
    tunnels: 0,
    queued: 0,
    bufferedMemory: 0,
    bufferedFiles: 0,
    isStoreUp: true,
    hasRoutes: true,
  };
  totals.add(7, metrics.take({ ...own, certificateFaults: 0, linesDropped: 0, spansDropped: 0 }));
  totals.retries.set('silent', 1);
  const workers = [{ pid: 7, generation: 1, state: 'serving', upSeconds: 1 }] as const;
  const states = new BackendStates(Date.now, () => 1_000);
  const parsed = parseBackend('http://10.0.0.1', 0);
  assert.ok('backend' in parsed);
  states.of(parsed.backend).responded(200, 0, 10);
  const answers = new Map<number, Answer>([[7, { type: 'backends', backends: states.snapshot() }]]);
  await totals.backends.update({ ask: () => Promise.resolve({ master: MASTER, workers, answers }) });
  const readiness = { isReady: true, isDegraded: false, reasons: [] };
  return await prometheusText(totals, workers, readiness, MASTER.changes);
}

test('every metric has a help, a type, a name and labels as Prometheus wants them', async (t) => {
  const text = await allMetrics(t);
  assert.ok(text.split('\n').filter((line) => line.startsWith('# TYPE ')).length > 20);
  for (const line of text.split('\n').filter((each) => each.startsWith('# TYPE '))) {
    const [, , name = ''] = line.split(' ');
    assert.match(text, new RegExp(`^${name}(?:_bucket)?[ {]`, 'm'), `${name} has a value`);
  }
  assert.deepEqual(metricFaults(text), []);
});

test('promtool finds nothing in them', { skip: noPromtool }, async (t) => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: await allMetrics(t),
    encoding: 'utf8',
  });
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
});

const BAD: Readonly<Record<string, string>> = {
  '# HELP x_total\n# TYPE x_total counter\nx_total 1\n': 'has no help',
  '# HELP x y\n# TYPE x untyped\nx 1\n': 'has the type "untyped"',
  '# HELP x y\n# TYPE x counter\nx 1\n': 'is a counter and does not end in _total, or the reverse',
  '# HELP x_total y\n# TYPE x_total gauge\nx_total 1\n': 'is a counter and does not end in _total, or the reverse',
  '# HELP x_count y\n# TYPE x_count gauge\nx_count 1\n': 'ends as a part of a histogram',
  '# HELP x y\n# TYPE x gauge\nx{le="1"} 1\n': 'is no histogram and has a label "le"',
  '# HELP x y\n# TYPE x gauge\nx{a="{",quantile="1"} 1\n': 'is no summary and has a label "quantile"',
  '# HELP x_gauge y\n# TYPE x_gauge gauge\nx_gauge 1\n': 'has its type in its name',
  '# HELP xY y\n# TYPE xY gauge\nxY 1\n': 'is not in snake_case, or a label',
  '# HELP x y\n# TYPE x gauge\nx{aB="1"} 1\n': 'is not in snake_case, or a label',
  '# HELP x_milliseconds y\n# TYPE x_milliseconds gauge\nx_milliseconds 1\n': 'has milliseconds, not seconds',
  '# HELP x_ms y\n# TYPE x_ms gauge\nx_ms 1\n': 'has the abbreviation ms',
  '# HELP x y\n# TYPE x gauge\nx{a="1"} 1\nx{a="1"} 2\n': 'is there twice',
};

for (const [text, fault] of Object.entries(BAD)) {
  test(`the rules find a metric that ${fault}: ${JSON.stringify(text)}`, (t) => {
    assert.ok(metricFaults(text).some((each) => each.endsWith(fault)));
    // promtool takes an unknown type, and the same sample twice.
    if (noPromtool !== false || /untyped|a="1"/.test(text)) return t.diagnostic('not compared with promtool');
    assert.notEqual(spawnSync('promtool', ['check', 'metrics'], { input: text }).status, 0);
  });
}
