/** The metrics of backends: `metrics.backends`. Pure. */
import type { BackendCounters } from './backend-counters.ts';
import { type Metric, metric, type Value } from './metric.ts';

/** Without values where no backend has metrics of its own. */
export function backendMetrics(backends: Pick<BackendCounters, 'entries'>): readonly Metric[] {
  const responses: Value[] = [];
  const failures: Value[] = [];
  const inFlight: Value[] = [];
  const waiting: Value[] = [];
  const connections: Value[] = [];
  const times: Value[] = [];
  for (const [backend, each] of backends.entries()) {
    for (const [of, value] of Object.entries(each.responses)) responses.push({ value, labels: { backend, class: of } });
    failures.push({ value: each.failed, labels: { backend } });
    inFlight.push({ value: each.inFlight, labels: { backend } });
    waiting.push({ value: each.waiting, labels: { backend } });
    connections.push({ value: each.idle, labels: { backend, state: 'idle' } });
    connections.push({ value: Math.max(0, each.open - each.idle), labels: { backend, state: 'busy' } });
    for (const [percentile, value] of [
      ['50', each.rates.p50],
      ['99', each.rates.p99],
    ] as const) {
      if (value !== null) times.push({ value, labels: { backend, percentile } });
    }
  }
  return [
    metric('counter', 'hipache_backend_responses_total', 'Responses of a backend', responses),
    metric('counter', 'hipache_backend_failures_total', 'Attempts that failed, and responses broken off', failures),
    metric('gauge', 'hipache_backend_in_flight', 'Open requests to a backend, with WebSockets', inFlight),
    metric('gauge', 'hipache_backend_waiting', 'Requests that wait for a connection to a backend', waiting),
    metric('gauge', 'hipache_backend_connections', 'Open connections to a backend', connections),
    metric(
      'gauge',
      'hipache_backend_response_seconds',
      'Until the head of a response, within the last 30 to 60 seconds',
      times,
    ),
  ];
}
