import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { CloseReason } from '../core/limits/connection-limits.ts';
import type { ConnectionUse } from '../core/routing/types.ts';
import type { Exchange } from '../proxy/exchange.ts';
import { StoreCounts, type StoreCountsReport } from '../store/store-counts.ts';
import type { ExchangeRecord } from '../core/record/exchange-record.ts';
import { RequestCounters, type CountedRequests } from './request-counters.ts';

/** A worker's counters since the last `take`, and its state. Plain data: it is sent to another process. */
export interface MetricsReport {
  readonly requests: CountedRequests;
  readonly store: StoreCountsReport;
  readonly connections: ConnectionUse;
  /** By the code of the RouterError. */
  readonly refused: Readonly<Record<string, number>>;
  /** By the type of the Outcome that caused the retry. */
  readonly retries: Readonly<Record<string, number>>;
  readonly deaths: number;
  /** Active checks, by `passed` and `failed`. */
  readonly checks: Readonly<Record<string, number>>;
  /** Client connections closed because of a connection limit, by reason. */
  readonly closed: Readonly<Record<string, number>>;
  /** Clients cut within a response, by reason. */
  readonly cut: Readonly<Record<string, number>>;
  readonly state: WorkerState;
}

/** The current state of a worker. */
export interface WorkerState {
  /** Open client connections. */
  readonly connections: number;
  /** Open exchanges, with tunnels. */
  readonly exchanges: number;
  readonly tunnels: number;
  /** Requests that wait in the queues of their sites. */
  readonly queued: number;
  /** Bytes of bodies that are buffered for sites with `buffer`. */
  readonly bufferedMemory: number;
  readonly bufferedFiles: number;
  readonly isStoreUp: boolean;
  /** Whether it can find routes: its store replies, or it uses last-known routes. */
  readonly hasRoutes: boolean;
  /** Certificates in the store that cannot be used. */
  readonly certificateFaults: number;
  /** Lines that the access log lost since the worker started. */
  readonly linesDropped: number;
  /** Spans that were lost since the worker started. */
  readonly spansDropped: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** The delay of timers within the last 10 to 20 s, ms. */
  readonly loopDelay: LoopDelay;
}

/** Percentiles of the event loop's delay, ms. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The part of the state that the caller of `take` adds. */
export type OwnState = Omit<WorkerState, 'residentBytes' | 'heapBytes' | 'loopDelay'>;

/** The resolution of the event loop measurement, ms. */
const LOOK_MS = 10;
/** The length of a measurement window, ms. Its result is kept for the next window. */
const WINDOW_MS = 10_000;
const NO_DELAY: LoopDelay = { p50: 0, p99: 0, max: 0 };

/** Counts what a worker does, for the admin interface. */
export class WorkerMetrics {
  /** The counters of the store. */
  readonly store = new StoreCounts();
  readonly #counters: RequestCounters;
  readonly #loop = monitorEventLoopDelay({ resolution: LOOK_MS });
  #connections: { opened: number; reused: number };
  #refused = new Map<string, number>();
  #retries = new Map<string, number>();
  #cut = new Map<string, number>();
  #deaths = 0;
  readonly #checks = new Map<string, number>();
  #closed = new Map<string, number>();
  #windowFrom = performance.now();
  #lastWindow = NO_DELAY;

  /** @param max how many frontends are counted one by one @param connections the counters that both lanes use */
  constructor(max: number, connections: ConnectionUse) {
    this.#counters = new RequestCounters(max);
    this.#connections = connections;
    this.#loop.enable();
  }

  /** Counts an exchange of the fast lane. */
  passed({ name, status, totalMs, backendMs }: ExchangeRecord): void {
    this.#counters.count(1, name, status, totalMs, backendMs);
  }

  /** Counts an exchange of the full lane. */
  ended({ refusal, attempts }: Exchange, { name, status, totalMs, backendMs }: ExchangeRecord): void {
    this.#counters.count(0, name, status, totalMs, backendMs);
    if (refusal !== null) this.refused(refusal.code);
    // Every attempt but the last was followed by a retry.
    for (let i = 0; i < attempts.length - 1; i++) increment(this.#retries, attempts[i]?.outcome.type ?? '');
  }

  /** Counts responses that the router made itself. */
  refused(code: string, count = 1): void {
    increment(this.#refused, code, count);
  }

  /** Counts a client that was cut within a response. */
  cut(reason: string): void {
    increment(this.#cut, reason);
  }

  /** Counts a backend that was marked dead. */
  died(): void {
    this.#deaths++;
  }

  /** Counts an active check. */
  checked(hasPassed: boolean): void {
    increment(this.#checks, hasPassed ? 'passed' : 'failed');
  }

  /** Counts a connection that was closed because of a connection limit. */
  closed(reason: CloseReason): void {
    increment(this.#closed, reason);
  }

  /** The counters since the last call. */
  take(own: OwnState): MetricsReport {
    const { opened, reused } = this.#connections;
    const taken: MetricsReport = {
      requests: this.#counters.take(),
      store: this.store.take(),
      connections: { opened, reused },
      refused: Object.fromEntries(this.#refused),
      retries: Object.fromEntries(this.#retries),
      deaths: this.#deaths,
      checks: Object.fromEntries(this.#checks),
      closed: Object.fromEntries(this.#closed),
      cut: Object.fromEntries(this.#cut),
      state: { ...own, ...memoryNow(), loopDelay: this.#loopDelay() },
    };
    Object.assign(this.#connections, { opened: 0, reused: 0 });
    this.#refused.clear();
    this.#retries.clear();
    this.#cut.clear();
    this.#deaths = 0;
    this.#checks.clear();
    this.#closed.clear();
    return taken;
  }

  close(): void {
    this.#loop.disable();
  }

  #loopDelay(): LoopDelay {
    const loop = this.#loop;
    // The histogram has the time between timers, in ns; it is empty at the start.
    const late = (ns: number): number => (loop.count === 0 ? 0 : Math.max(0, ns / 1e6 - LOOK_MS));
    const delay = { p50: late(loop.percentile(50)), p99: late(loop.percentile(99)), max: late(loop.max) };
    const before = this.#lastWindow;
    const now = performance.now();
    if (now - this.#windowFrom >= WINDOW_MS) {
      this.#windowFrom = now;
      this.#lastWindow = delay;
      loop.reset();
    }
    return {
      p50: Math.max(before.p50, delay.p50),
      p99: Math.max(before.p99, delay.p99),
      max: Math.max(before.max, delay.max),
    };
  }
}

function increment(counts: Map<string, number>, what: string, by = 1): void {
  counts.set(what, (counts.get(what) ?? 0) + by);
}

function memoryNow(): { readonly residentBytes: number; readonly heapBytes: number } {
  const { rss, heapUsed } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed };
}
