import { DURATION_CELLS } from '../core/record/durations.ts';
import type { MetricsReport, WorkerState } from '../observe/worker-metrics.ts';
import { ROW, type CountedRequests } from '../observe/request-counters.ts';
import { BackendCounters } from './backend-counters.ts';
import { FrontendRows } from './frontend-rows.ts';
import { FrontendSeries } from './series.ts';

/** The sums of all workers' counters since this process started, and the state of each worker. */
export class Totals {
  readonly frontends: FrontendRows;
  readonly backends: BackendCounters;
  /** The series of all requests. */
  readonly series = new FrontendSeries();
  /** Durations of store lookups: see core/record/durations.ts. */
  readonly lookups = new Float64Array(DURATION_CELLS);
  readonly refused = new Map<string, number>();
  readonly retries = new Map<string, number>();
  readonly closed = new Map<string, number>();
  readonly cut = new Map<string, number>();
  readonly cache = { hit: 0, miss: 0, stale: 0 };
  readonly connections = { opened: 0, reused: 0 };
  storeErrors = 0;
  deaths = 0;
  readonly checks = new Map<string, number>();
  linesDropped = 0;
  spansDropped = 0;
  /** By process id, of running workers. */
  readonly states = new Map<number, WorkerState>();
  /** The current time, ms since the process began. */
  readonly now: () => number;

  /**
   * @param limits how many frontends, and how many backends, have metrics of their own
   * @param now the current time, ms since the process began
   */
  constructor({ topN, backends }: { readonly topN: number; readonly backends: number }, now: () => number) {
    this.now = now;
    this.backends = new BackendCounters(backends, now);
    this.frontends = new FrontendRows(topN, now);
  }

  /** Adds a worker's counters since its last report. */
  add(pid: number, metrics: MetricsReport): void {
    const { requests, store, connections, deaths, state } = metrics;
    this.frontends.add(requests);
    this.#addToSeries(requests);
    let lookups = 0;
    for (const [at, count] of store.lookups.entries()) {
      this.lookups[at] = (this.lookups[at] ?? 0) + count;
      // The last cell is the sum of the durations.
      if (at < DURATION_CELLS - 1) lookups += count;
    }
    this.cache.hit += store.hits;
    this.cache.miss += lookups;
    this.cache.stale += store.stale;
    this.storeErrors += store.errors;
    this.connections.opened += connections.opened;
    this.connections.reused += connections.reused;
    addAll(this.refused, metrics.refused);
    addAll(this.retries, metrics.retries);
    addAll(this.closed, metrics.closed);
    addAll(this.cut, metrics.cut);
    this.deaths += deaths;
    addAll(this.checks, metrics.checks);
    const before = this.states.get(pid);
    this.linesDropped += state.linesDropped - (before?.linesDropped ?? 0);
    this.spansDropped += state.spansDropped - (before?.spansDropped ?? 0);
    this.states.set(pid, state);
  }

  /** Drops the states of workers that have exited. */
  keepOnly(pids: ReadonlySet<number>): void {
    for (const pid of this.states.keys()) if (!pids.has(pid)) this.states.delete(pid);
  }

  /** Ends a second of all series. */
  endSecond(): void {
    this.series.endSecond();
    this.frontends.endSecond();
  }

  #addToSeries({ rows }: CountedRequests): void {
    for (let at = 0; at < rows.length; at += ROW) this.series.add(rows.subarray(at, at + ROW));
  }
}

function addAll(to: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [what, count] of Object.entries(counts)) to.set(what, (to.get(what) ?? 0) + count);
}
