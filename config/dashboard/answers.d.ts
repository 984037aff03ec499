/** What the admin interface answers, as docs/admin.md has it. For the type check alone: no byte of it is served. */

interface Fault {
  readonly code: string;
  readonly text: string;
  readonly advice?: string | null;
}

interface BackendAnswer {
  readonly id: number;
  readonly url: string;
  readonly state: 'alive' | 'dead' | 'unusable';
  /** Null for a dead mark without an end. */
  readonly secondsLeft: number | null;
  readonly fault: string | null;
}

interface FrontendAnswer {
  readonly key: string;
  readonly name: string;
  readonly backends: readonly BackendAnswer[];
  readonly faults: readonly Fault[];
}

interface FrontendsAnswer {
  readonly frontends: readonly FrontendAnswer[];
  readonly next: string | null;
}

interface KeyAnswer {
  readonly key: string;
  readonly type: string;
  readonly holds: readonly string[];
  readonly secondsLeft: number | null;
  readonly verdict?: 'used' | 'absent' | 'names no backend' | 'unusable' | 'not reached';
  readonly faults: readonly Fault[];
}

interface MemoryAnswer {
  readonly pid: number;
  readonly generation: number;
  readonly knows: 'fresh' | 'stale' | 'nothing';
  readonly ageSeconds: number | null;
  readonly key: string | null;
  readonly name: string | null;
  readonly backends: readonly string[] | null;
  /** Ids. */
  readonly dead: readonly number[] | null;
}

interface ExplainAnswer {
  readonly asked: string;
  readonly host: string | null;
  readonly path: string;
  readonly answer: {
    readonly kind: 'backend' | 'refused';
    readonly status: number | null;
    readonly code: string | null;
    readonly text: string;
  };
  readonly keys: readonly KeyAnswer[];
  readonly route: FrontendAnswer | null;
  readonly dead: KeyAnswer | null;
  readonly near: readonly { readonly key: string; readonly faults: readonly Fault[] }[];
  readonly store: { readonly name: string; readonly hasHealthChecker: boolean };
  readonly workers: readonly MemoryAnswer[];
}

interface WorkersAnswer {
  readonly master: {
    readonly pid: number;
    readonly version: string;
    readonly upSeconds: number;
    readonly residentBytes: number;
  };
  readonly workers: readonly {
    readonly pid: number;
    readonly generation: number;
    readonly state: 'starting' | 'serving' | 'draining';
    readonly upSeconds: number;
    readonly residentBytes: number;
    readonly heapBytes: number;
    readonly connections: number;
    readonly exchanges: number;
    readonly tunnels: number;
    readonly loopDelay: { readonly p50: number; readonly p99: number; readonly max: number };
  }[];
}

interface LogEvent {
  readonly time: string;
  readonly level: string;
  readonly pid: number;
  readonly event: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A value for each second; null where there was nothing to measure. */
type Series = readonly (number | null)[];

interface LiveAnswer {
  /** Epoch seconds; the last of each series is the second before. */
  readonly now: number;
  readonly version: string;
  readonly needsToken: boolean;
  readonly total: { readonly requests: Series; readonly errors: Series; readonly p50: Series; readonly p99: Series };
  readonly frontends: readonly {
    readonly name: string;
    readonly requests: Series;
    readonly errors: Series;
    readonly p99: Series;
  }[];
  readonly connections: number;
  readonly exchanges: number;
  readonly tunnels: number;
  readonly store: { readonly name: string; readonly isUp: boolean };
  readonly ready: { readonly isReady: boolean; readonly reasons: readonly string[] };
}
