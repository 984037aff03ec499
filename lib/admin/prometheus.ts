/** Figures as Prometheus reads them: the only file that knows prom-client, which writes its text. */
import { AggregatorRegistry, prometheusContentType } from 'prom-client';
import { DURATION_ENDS_MS, durationsIn } from '../core/durations.ts';
import { version } from '../core/version.ts';
import { BACKEND_AT, CLASSES, LANES, TOTAL_AT } from '../observe/tally.ts';
import type { Known } from './questions.ts';
import type { Totals } from './totals.ts';

export const CONTENT_TYPE: string = prometheusContentType;

interface Value {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: 'sum';
  readonly values: readonly Value[];
}

/** The figures as text. @param workers those there are now */
export async function prometheusText(totals: Totals, workers: readonly Known[]): Promise<string> {
  const metrics = [
    ...requestMetrics(totals),
    ...storeMetrics(totals),
    ...faultMetrics(totals),
    ...stateMetrics(totals),
  ];
  metrics.push(workerMetric(workers), buildMetric());
  // Made for figures that come from several processes: it takes them as plain data.
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
    metric('counter', 'hipache_requests_total', 'Requests that have ended', requests),
    metric(
      'histogram',
      'hipache_request_duration_seconds',
      'From the head of a request to the end of its answer',
      total,
    ),
    metric('histogram', 'hipache_backend_duration_seconds', 'From the first attempt on a backend to the end', backend),
    metric('counter', 'hipache_backend_connections_total', 'How requests came by connections to backends', [
      { value: connections.reused, labels: { reused: 'true' } },
      { value: connections.opened, labels: { reused: 'false' } },
    ]),
  ];
}

function storeMetrics({ lookups, cache, storeErrors, states }: Totals): Metric[] {
  const up = states.size > 0 && [...states.values()].every(({ isStoreUp }) => isStoreUp);
  const name = 'hipache_lookup_duration_seconds';
  return [
    metric('histogram', name, 'How long the store took to answer a lookup', histogram(name, lookups, 0, {})),
    metric('counter', 'hipache_store_errors_total', 'Lookups that failed', only(storeErrors)),
    metric('gauge', 'hipache_store_up', 'Whether all workers have a store that answers', only(Number(up))),
    metric(
      'counter',
      'hipache_cache_lookups_total',
      'Where routes came from',
      labelled('result', Object.entries(cache)),
    ),
  ];
}

function faultMetrics({ retries, refused, deaths, linesDropped, spansDropped }: Totals): Metric[] {
  return [
    metric(
      'counter',
      'hipache_retries_total',
      'Further attempts, by how the one before ended',
      labelled('reason', retries),
    ),
    metric(
      'counter',
      'hipache_refused_total',
      "Requests answered in the router's own name",
      labelled('reason', refused),
    ),
    metric('counter', 'hipache_deaths_total', 'Backends found dead', only(deaths)),
    metric(
      'counter',
      'hipache_access_log_lines_dropped_total',
      'Lines the access log could not take',
      only(linesDropped),
    ),
    metric('counter', 'hipache_spans_dropped_total', 'Spans that could not be sent', only(spansDropped)),
  ];
}

function stateMetrics({ states }: Totals): Metric[] {
  const all = [...states.values()];
  const sum = (of: (state: (typeof all)[number]) => number): readonly Value[] =>
    only(all.reduce((before, state) => before + of(state), 0));
  const worst = (of: (state: (typeof all)[number]) => number): number => Math.max(0, ...all.map(of)) / 1000;
  const delays: [string, number][] = [
    ['0.5', worst(({ loopDelay }) => loopDelay.p50)],
    ['0.99', worst(({ loopDelay }) => loopDelay.p99)],
    ['1', worst(({ loopDelay }) => loopDelay.max)],
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
      'Requests under way',
      sum(({ exchanges }) => exchanges),
    ),
    metric(
      'gauge',
      'hipache_tunnels',
      'Open WebSockets',
      sum(({ tunnels }) => tunnels),
    ),
    metric('gauge', 'hipache_event_loop_delay_seconds', 'How late timers are', labelled('quantile', delays)),
    metric(
      'gauge',
      'hipache_resident_memory_bytes',
      'Memory of all workers',
      sum((state) => state.residentBytes),
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

function metric(type: Metric['type'], name: string, help: string, values: readonly Value[]): Metric {
  return { name, help, type, aggregator: 'sum', values };
}

function only(value: number): readonly Value[] {
  return [{ value, labels: {} }];
}

function labelled(label: string, counts: Iterable<readonly [string, number]>): readonly Value[] {
  return Array.from(counts, ([name, value]) => ({ value, labels: { [label]: name } }));
}

/** @param at where it begins in `cells` */
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
