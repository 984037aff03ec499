import { DURATION_CELLS } from '../core/record/durations.ts';
import type { MetricsReport, WorkerState } from '../observe/worker-metrics.ts';
import { ROW, type CountedRequests } from '../observe/request-counters.ts';
import { FrontendRows } from './frontend-rows.ts';
import { FrontendSeries } from './series.ts';

/** What all workers have counted since this process began, and how each of them is. */
export class Totals {
  readonly frontends: FrontendRows;
  /** Of all requests together. */
  readonly series = new FrontendSeries();
  /** How long the store took: see core/durations.ts. */
  readonly lookups = new Float64Array(DURATION_CELLS);
  readonly refused = new Map<string, number>();
  readonly retries = new Map<string, number>();
  readonly closed = new Map<string, number>();
  readonly cut = new Map<string, number>();
  readonly cache = { hit: 0, miss: 0, stale: 0 };
  readonly connections = { opened: 0, reused: 0 };
  storeErrors = 0;
  deaths = 0;
  linesDropped = 0;
  spansDropped = 0;
  /** By process id, of those that live. */
  readonly states = new Map<number, WorkerState>();

  /** @param topN frontends with metrics of their own. @param now ms; only differences count */
  constructor(topN: number, now: () => number) {
    this.frontends = new FrontendRows(topN, now);
  }

  /** Adds what a worker counted since the last time. */
  add(pid: number, metrics: MetricsReport): void {
    const { requests, store, connections, deaths, state } = metrics;
    this.frontends.add(requests);
    this.#addToSeries(requests);
    let lookups = 0;
    for (const [at, count] of store.lookups.entries()) {
      this.lookups[at] = (this.lookups[at] ?? 0) + count;
      // The last cell is the sum of their times.
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
    const before = this.states.get(pid);
    this.linesDropped += state.linesDropped - (before?.linesDropped ?? 0);
    this.spansDropped += state.spansDropped - (before?.spansDropped ?? 0);
    this.states.set(pid, state);
  }

  /** Forgets how those were that live no more. */
  keepOnly(pids: ReadonlySet<number>): void {
    for (const pid of this.states.keys()) if (!pids.has(pid)) this.states.delete(pid);
  }

  /** A second is over. */
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
