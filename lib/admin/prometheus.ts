/** Writes the metrics in Prometheus' format. The only file that imports prom-client. */
import { AggregatorRegistry, prometheusContentType } from 'prom-client';
import { DURATION_ENDS_MS, durationsIn } from '../core/record/durations.ts';
import { version } from '../core/version.ts';
import { BACKEND_AT, CLASSES, LANES, TOTAL_AT } from '../observe/request-counters.ts';
import type { Changes } from './changes.ts';
import { type Metric, metric, type Value } from './metric.ts';
import { backendMetrics } from './prometheus-backends.ts';
import type { Known } from './questions.ts';
import type { Readiness } from './readiness.ts';
import type { Totals } from './totals.ts';

/** The media type of `prometheusText`. */
export const CONTENT_TYPE: string = prometheusContentType;

/** The metrics as text. @param workers the running workers */
export async function prometheusText(
  totals: Totals,
  workers: readonly Known[],
  readiness: Readiness,
  changes: Changes,
): Promise<string> {
  const metrics = [
    ...requestMetrics(totals),
    ...storeMetrics(totals),
    ...faultMetrics(totals),
    ...stateMetrics(totals),
    ...backendMetrics(totals.backends),
    ...readinessMetrics(readiness),
    ...changeMetrics(changes),
  ];
  metrics.push(workerMetric(workers), buildMetric());
  // Made for metrics of several processes, so it accepts plain data.
  return await AggregatorRegistry.aggregate([metrics as object[]]).metrics();
}

function requestMetrics({ frontends, connections }: Totals): Metric[] {
  const requests: Value[] = [];
  const total: Value[] = [];
  const backend: Value[] = [];
  for (const [frontend, { row }] of frontends.entries()) {
    for (const [lane, laneName] of LANES.entries()) {
      for (const [at, className] of CLASSES.entries()) {
        const value = row[lane * CLASSES.length + at] ?? 0;
        if (value > 0) requests.push({ value, labels: { frontend, class: className, lane: laneName } });
      }
    }
    total.push(...histogram('hipache_request_duration_seconds', row, TOTAL_AT, { frontend }));
    backend.push(...histogram('hipache_backend_duration_seconds', row, BACKEND_AT, { frontend }));
  }
  return [
    metric('counter', 'hipache_requests_total', 'Finished requests', requests),
    metric(
      'histogram',
      'hipache_request_duration_seconds',
      'From the head of a request to the end of its response',
      total,
    ),
    metric('histogram', 'hipache_backend_duration_seconds', 'From the first attempt on a backend to the end', backend),
    metric('counter', 'hipache_backend_connections_total', 'How requests got connections to backends', [
      { value: connections.reused, labels: { reused: 'true' } },
      { value: connections.opened, labels: { reused: 'false' } },
    ]),
  ];
}

function storeMetrics({ lookups, cache, storeErrors, states }: Totals): Metric[] {
  const up = states.size > 0 && [...states.values()].every(({ isStoreUp }) => isStoreUp);
  const name = 'hipache_lookup_duration_seconds';
  return [
    metric('histogram', name, 'Duration of store lookups', histogram(name, lookups, 0, {})),
    metric('counter', 'hipache_store_errors_total', 'Lookups that failed', only(storeErrors)),
    metric('gauge', 'hipache_store_up', 'Whether the store replies to all workers', only(Number(up))),
    metric(
      'counter',
      'hipache_cache_lookups_total',
      'Where routes came from',
      labelled('result', Object.entries(cache)),
    ),
  ];
}

function faultMetrics({ retries, refused, closed, cut, deaths, checks, linesDropped, spansDropped }: Totals): Metric[] {
  return [
    metric(
      'counter',
      'hipache_retries_total',
      'Retries, by the outcome of the previous attempt',
      labelled('reason', retries),
    ),
    metric(
      'counter',
      'hipache_refused_total',
      "Requests answered in the router's own name, and HTTP/2 refused before there was one",
      labelled('reason', refused),
    ),
    metric(
      'counter',
      'hipache_client_connections_closed_total',
      'Client connections closed because of a connection limit',
      labelled('reason', closed),
    ),
    metric('counter', 'hipache_clients_cut_total', 'Clients cut within a response', labelled('reason', cut)),
    metric('counter', 'hipache_deaths_total', 'Backends marked dead', only(deaths)),
    metric('counter', 'hipache_checks_total', 'Active checks of backends', labelled('result', checks)),
    metric('counter', 'hipache_access_log_lines_dropped_total', 'Lines the access log lost', only(linesDropped)),
    metric('counter', 'hipache_spans_dropped_total', 'Spans that were lost', only(spansDropped)),
  ];
}

function stateMetrics({ states }: Totals): Metric[] {
  const all = [...states.values()];
  const total = (of: (state: (typeof all)[number]) => number): number =>
    all.reduce((before, state) => before + of(state), 0);
  const sum = (of: (state: (typeof all)[number]) => number): readonly Value[] => only(total(of));
  const worst = (of: (state: (typeof all)[number]) => number): number => Math.max(0, ...all.map(of)) / 1000;
  const delays: [string, number][] = [
    ['50', worst(({ loopDelay }) => loopDelay.p50)],
    ['99', worst(({ loopDelay }) => loopDelay.p99)],
    ['100', worst(({ loopDelay }) => loopDelay.max)],
  ];
  return [
    metric(
      'gauge',
      'hipache_client_connections',
      'Open connections of clients',
      sum(({ connections }) => connections),
    ),
    metric(
      'gauge',
      'hipache_exchanges',
      'Open requests',
      sum(({ exchanges }) => exchanges),
    ),
    metric(
      'gauge',
      'hipache_tunnels',
      'Open WebSockets',
      sum(({ tunnels }) => tunnels),
    ),
    metric(
      'gauge',
      'hipache_queued_requests',
      'Requests that wait for a permit of their site',
      sum(({ queued }) => queued),
    ),
    metric('gauge', 'hipache_buffered_bytes', 'Buffered bodies', [
      { labels: { kind: 'memory' }, value: total(({ bufferedMemory }) => bufferedMemory) },
      { labels: { kind: 'file' }, value: total(({ bufferedFiles }) => bufferedFiles) },
    ]),
    metric('gauge', 'hipache_event_loop_delay_seconds', 'How late timers are', labelled('percentile', delays)),
    metric(
      'gauge',
      'hipache_resident_memory_bytes',
      'Memory of all workers',
      sum((state) => state.residentBytes),
    ),
    metric(
      'gauge',
      'hipache_certificate_faults',
      'Certificates in the store that cannot be used, in the worker that found most',
      only(Math.max(0, ...all.map(({ certificateFaults }) => certificateFaults))),
    ),
  ];
}

function readinessMetrics({ isReady, isDegraded }: Readiness): Metric[] {
  return [
    metric('gauge', 'hipache_ready', 'Whether load balancers should send requests', only(Number(isReady))),
    metric('gauge', 'hipache_degraded', 'Whether something the router needs is missing', only(Number(isDegraded))),
  ];
}

/** The metrics of configuration reloads have the names that other programs use. */
function changeMetrics({ reload, upgrade, routes, logs, snapshot }: Changes): Metric[] {
  const others = Object.entries({ upgrade, routes, logs, snapshot }).flatMap(([change, last]) => {
    return last === null ? [] : [[change, Number(last.reason === null)] as const];
  });
  return [
    metric(
      'gauge',
      'hipache_config_last_reload_successful',
      'Whether the last reload of the configuration succeeded; 0 when it was refused and the old one stays',
      only(Number(reload?.reason === null)),
    ),
    metric(
      'gauge',
      'hipache_config_last_reload_success_timestamp_seconds',
      'When the configuration was last loaded',
      only((reload?.madeAt ?? 0) / 1000),
    ),
    metric(
      'gauge',
      'hipache_last_change_successful',
      'Whether the last change of this kind succeeded; 0 when it was refused',
      labelled('change', others),
    ),
  ];
}

function workerMetric(workers: readonly Known[]): Metric {
  const counts = { serving: 0, draining: 0, starting: 0 };
  for (const { state } of workers) counts[state]++;
  return metric('gauge', 'hipache_workers', 'Worker processes', labelled('state', Object.entries(counts)));
}

function buildMetric(): Metric {
  const labels = { version, node: process.version };
  return metric('gauge', 'hipache_build_info', 'What runs', [{ value: 1, labels }]);
}

function only(value: number): readonly Value[] {
  return [{ value, labels: {} }];
}

function labelled(label: string, counts: Iterable<readonly [string, number]>): readonly Value[] {
  return Array.from(counts, ([name, value]) => ({ value, labels: { [label]: name } }));
}

/** @param at where the histogram starts in `cells` */
function histogram(name: string, cells: Float64Array, at: number, labels: Value['labels']): readonly Value[] {
  const { counts, sumMs } = durationsIn(cells, at);
  let value = 0;
  const buckets = counts.map((count, bucket): Value => {
    value += count;
    const end = DURATION_ENDS_MS[bucket];
    return { value, labels: { le: end === undefined ? '+Inf' : end / 1000, ...labels }, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { value: sumMs / 1000, labels, metricName: `${name}_sum` },
    { value, labels, metricName: `${name}_count` },
  ];
}
