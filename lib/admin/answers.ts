/** What the admin interface answers, as docs/admin.md has it; the dashboard is checked against it. Types only. */
import type { FrontendView } from '../vhosts/explanation.ts';
import type { Seconds } from './series.ts';

export interface FrontendsAnswer {
  readonly frontends: readonly FrontendView[];
  readonly next: string | null;
}

/** How a worker is. Null for what one has not told that starts, or hangs. */
export interface WorkerAnswer {
  readonly pid: number;
  readonly generation: number;
  readonly state: 'starting' | 'serving' | 'draining';
  readonly upSeconds: number;
  readonly residentBytes: number | null;
  readonly heapBytes: number | null;
  readonly connections: number | null;
  readonly exchanges: number | null;
  readonly tunnels: number | null;
  readonly loopDelay: { readonly p50: number; readonly p99: number; readonly max: number } | null;
}

export interface WorkersAnswer {
  readonly master: {
    readonly pid: number;
    readonly version: string;
    readonly upSeconds: number;
    readonly residentBytes: number;
  };
  readonly workers: readonly WorkerAnswer[];
}

export interface LiveAnswer {
  /** Epoch seconds; the last of each series is the second before. */
  readonly now: number;
  readonly version: string;
  readonly needsToken: boolean;
  readonly total: Seconds;
  /** The busiest. */
  readonly frontends: readonly (Seconds & { readonly name: string })[];
  readonly connections: number;
  readonly exchanges: number;
  readonly tunnels: number;
  readonly store: { readonly name: string; readonly isUp: boolean };
  readonly ready: { readonly isReady: boolean; readonly reasons: readonly string[] };
}
