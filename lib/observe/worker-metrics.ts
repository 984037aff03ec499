import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { CloseReason } from '../core/limits/connection-limits.ts';
import type { ConnectionUse } from '../core/routing/types.ts';
import type { Exchange } from '../proxy/exchange.ts';
import { StoreCounts, type StoreCountsReport } from '../store/store-counts.ts';
import type { AccessRecord } from './access-line.ts';
import { RequestCounters, type CountedRequests } from './request-counters.ts';

/** What a worker counted since it was last asked, and how it is. Plain data: it goes to another process. */
export interface MetricsReport {
  readonly requests: CountedRequests;
  readonly store: StoreCountsReport;
  readonly connections: ConnectionUse;
  /** By the code of the RouterError. */
  readonly refused: Readonly<Record<string, number>>;
  /** By the type of the Outcome that was retried after. */
  readonly retries: Readonly<Record<string, number>>;
  readonly deaths: number;
  /** Clients' connections closed for want of room, by why. */
  readonly closed: Readonly<Record<string, number>>;
  /** By the reason, clients that were cut off within an answer. */
  readonly cut: Readonly<Record<string, number>>;
  readonly state: WorkerState;
}

/** How a worker is at the moment. */
export interface WorkerState {
  /** Of clients. */
  readonly connections: number;
  /** Under way, tunnels among them. */
  readonly exchanges: number;
  readonly tunnels: number;
  readonly isStoreUp: boolean;
  /** Whether it can find routes: its store answers lookups, or last-known routes serve in its place. */
  readonly hasRoutes: boolean;
  /** Certificates in the store that cannot be used as they are. */
  readonly certificateFaults: number;
  /** Lines that the access log could not take since the worker began. */
  readonly linesDropped: number;
  /** Spans that could not be sent, since the worker began. */
  readonly spansDropped: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** How late timers were within the last 10 to 20 s, ms. */
  readonly loopDelay: LoopDelay;
}

export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What whoever asks adds about itself. */
export type OwnState = Omit<WorkerState, 'residentBytes' | 'heapBytes' | 'loopDelay'>;

/** Between two looks at the event loop, ms. */
const LOOK_MS = 10;
/** For so long it is looked at together, ms; then for as long again what was seen is kept. */
const WINDOW_MS = 10_000;
const NO_DELAY: LoopDelay = { p50: 0, p99: 0, max: 0 };

/** Counts what a worker does, for the admin interface. */
export class WorkerMetrics {
  /** For the store to count in. */
  readonly store = new StoreCounts();
  readonly #counters: RequestCounters;
  readonly #loop = monitorEventLoopDelay({ resolution: LOOK_MS });
  #connections: { opened: number; reused: number };
  #refused = new Map<string, number>();
  #retries = new Map<string, number>();
  #cut = new Map<string, number>();
  #deaths = 0;
  #closed = new Map<string, number>();
  #windowFrom = performance.now();
  #lastWindow = NO_DELAY;

  /**
   * @param max frontends counted one by one, at a time
   * @param connections where both lanes count
   */
  constructor(max: number, connections: ConnectionUse) {
    this.#counters = new RequestCounters(max);
    this.#connections = connections;
    this.#loop.enable();
  }

  /** An exchange has ended in the fast lane. */
  passed({ name, status, totalMs, backendMs }: AccessRecord): void {
    this.#counters.count(1, name, status, totalMs, backendMs);
  }

  /** An exchange has ended in the full lane. */
  ended({ refusal, attempts }: Exchange, { name, status, totalMs, backendMs }: AccessRecord): void {
    this.#counters.count(0, name, status, totalMs, backendMs);
    if (refusal !== null) this.refused(refusal.code);
    // After each attempt but the last there was another.
    for (let i = 0; i < attempts.length - 1; i++) increment(this.#retries, attempts[i]?.outcome.type ?? '');
  }

  /** Somebody was answered in the router's own name, or so often. */
  refused(code: string, count = 1): void {
    increment(this.#refused, code, count);
  }

  /** A client was cut off within an answer. */
  cut(reason: string): void {
    increment(this.#cut, reason);
  }

  /** A backend was found dead. */
  died(): void {
    this.#deaths++;
  }

  /** A client's connection was closed for want of room. */
  closed(reason: CloseReason): void {
    increment(this.#closed, reason);
  }

  /** What was counted since the last call. */
  take(own: OwnState): MetricsReport {
    const { opened, reused } = this.#connections;
    const taken: MetricsReport = {
      requests: this.#counters.take(),
      store: this.store.take(),
      connections: { opened, reused },
      refused: Object.fromEntries(this.#refused),
      retries: Object.fromEntries(this.#retries),
      deaths: this.#deaths,
      closed: Object.fromEntries(this.#closed),
      cut: Object.fromEntries(this.#cut),
      state: { ...own, ...memoryNow(), loopDelay: this.#loopDelay() },
    };
    Object.assign(this.#connections, { opened: 0, reused: 0 });
    this.#refused.clear();
    this.#retries.clear();
    this.#cut.clear();
    this.#deaths = 0;
    this.#closed.clear();
    return taken;
  }

  close(): void {
    this.#loop.disable();
  }

  #loopDelay(): LoopDelay {
    const loop = this.#loop;
    // It measures from one timer to the next, in ns; nothing was measured yet when there is no count.
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
