import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { Totals } from '../../lib/admin/totals.ts';
import { prometheusText } from '../../lib/admin/prometheus.ts';
import { WorkerMetrics, type OwnState } from '../../lib/observe/worker-metrics.ts';

const OWN: OwnState = {
  connections: 1,
  exchanges: 1,
  tunnels: 0,
  queued: 0,
  bufferedMemory: 0,
  bufferedFiles: 0,
  isStoreUp: true,
  hasRoutes: true,
  certificateFaults: 0,
  linesDropped: 0,
  spansDropped: 0,
};
const RECORD = {
  clientIp: '',
  method: 'GET',
  target: '/',
  bytes: 1,
  referer: undefined,
  userAgent: undefined,
  host: 'x',
  backend: null,
};

/** 500 frontends with ten requests each. */
function busy(metrics: WorkerMetrics): void {
  for (let n = 0; n < 5_000; n++)
    metrics.passed({ ...RECORD, name: `site ${n % 500}`, status: 200, totalMs: n % 100, backendMs: n % 90 });
}

test('to be asked for the metrics of 500 frontends takes a worker less than 10 ms', (t) => {
  const metrics = new WorkerMetrics(2_000, { opened: 0, reused: 0 });
  t.after(() => metrics.close());
  const took: number[] = [];
  for (let run = 0; run < 10; run++) {
    busy(metrics);
    const startedAt = performance.now();
    // As it is sent to another process.
    serialize(metrics.take(OWN));
    took.push(performance.now() - startedAt);
  }
  // The machine may have had something else to do in the others.
  assert.ok(Math.min(...took) < 10, took.join(', '));
});

test('what a worker has counted reaches the text, whole', async (t) => {
  const use = { opened: 3, reused: 4 };
  const metrics = new WorkerMetrics(2_000, use);
  t.after(() => metrics.close());
  const totals = new Totals({ topN: 500, backends: 0 }, () => 0);
  for (let run = 0; run < 2; run++) {
    busy(metrics);
    metrics.died();
    metrics.refused('no-backend');
    metrics.store.hits += 5;
    metrics.store.answered(2, 3);
    for (const hasPassed of [true, false, true]) metrics.checked(hasPassed);
    totals.add(7, deserialize(serialize(metrics.take(OWN))) as ReturnType<WorkerMetrics['take']>);
  }
  const readiness = { isReady: true, isDegraded: true, reasons: ['a reason'] };
  const refused = { at: 2_000, reason: 'a fault', madeAt: 1_500 };
  const changes = {
    reload: refused,
    upgrade: refused,
    routes: { at: 1, reason: null, madeAt: 1 },
    logs: null,
    snapshot: null,
  };
  const workers = [{ pid: 7, generation: 1, state: 'serving', upSeconds: 1 }] as const;
  const text = await prometheusText(totals, workers, readiness, changes);
  for (const line of [
    'hipache_ready 1',
    'hipache_degraded 1',
    'hipache_requests_total{frontend="site 499",class="2xx",lane="fast"} 20',
    'hipache_request_duration_seconds_count{frontend="site 0"} 20',
    'hipache_request_duration_seconds_bucket{le="+Inf",frontend="site 0"} 20',
    'hipache_lookup_duration_seconds_count 6',
    'hipache_cache_lookups_total{result="hit"} 10',
    'hipache_cache_lookups_total{result="miss"} 6',
    'hipache_deaths_total 2',
    'hipache_checks_total{result="passed"} 4',
    'hipache_checks_total{result="failed"} 2',
    'hipache_refused_total{reason="no-backend"} 2',
    'hipache_backend_connections_total{reused="true"} 4',
    'hipache_backend_connections_total{reused="false"} 3',
    'hipache_client_connections 1',
    'hipache_workers{state="serving"} 1',
    'hipache_config_last_reload_successful 0',
    'hipache_config_last_reload_success_timestamp_seconds 1.5',
    'hipache_last_change_successful{change="upgrade"} 0',
    'hipache_last_change_successful{change="routes"} 1',
    'hipache_certificate_faults 0',
  ])
    assert.ok(text.includes(`\n${line}\n`), line);
  assert.equal(text.split('\n').filter((line) => line.startsWith('hipache_requests_total{')).length, 500);
  assert.deepEqual([use.opened, use.reused], [0, 0]);
});

test('the delay of the event loop is told for a while', async (t) => {
  const metrics = new WorkerMetrics(1, { opened: 0, reused: 0 });
  t.after(() => metrics.close());
  // The monitor has to have begun.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const until = performance.now() + 100;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (let look = 0; look < 3; look++) {
    const { max } = metrics.take(OWN).state.loopDelay;
    assert.ok(max > 50, `${max} ms`);
  }
});
