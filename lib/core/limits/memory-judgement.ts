/** How much memory a worker may take: what its load accounts for, and a limit for the rest. */

const MIB = 1_048_576;
const KIB = 1_024;

/** What a worker has that takes memory. */
export interface Load {
  /** Of clients, the following two among them. */
  readonly connections: number;
  readonly secureConnections: number;
  readonly sessions: number;
  /** HTTP/2 streams, and what is kept for next ones. */
  readonly streams: number;
  /** WebSockets. */
  readonly tunnels: number;
  /** Requests under way, without tunnels. */
  readonly exchanges: number;
  /** Hosts whose routes are remembered. */
  readonly hosts: number;
  /** Of a routes file and the certificates beside it. */
  readonly routesBytes: number;
  readonly certificates: number;
}

/**
 * Bytes allowed for each, from one and a half to three times what was measured (docs/operations.md has the figures): memory
 * that is shared out in pages is never used to the last byte.
 */
const ALLOWANCE: Readonly<Record<keyof Load, number>> = {
  connections: 10 * KIB,
  secureConnections: 60 * KIB,
  sessions: 60 * KIB,
  streams: 16 * KIB,
  // These two hold what a slow reader has not taken.
  tunnels: 64 * KIB,
  exchanges: 96 * KIB,
  hosts: 8 * KIB,
  // While a new file takes the place of the old one there are both, and the pieces that came.
  routesBytes: 3,
  certificates: 64 * KIB,
};

/** What the load accounts for, bytes, beyond what a worker without any takes. */
export function expectedBytes(load: Load): number {
  let bytes = 0;
  for (const [what, each] of Object.entries(ALLOWANCE)) bytes += load[what as keyof Load] * each;
  return bytes;
}

/** `server.memory`, MiB; 0 is no limit. */
export interface MemoryLimits {
  /** What the load does not account for. */
  readonly limitMB: number;
  /** All of it. */
  readonly ceilingMB: number;
}

/** Bytes. */
export interface MemorySample {
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** With more V8 aborts. */
  readonly heapLimitBytes: number;
  /** The most that the load has accounted for: memory that was used once is seldom given back. */
  readonly expectedBytes: number;
}

/**
 * Why a worker takes too much memory. `growth`: more than its load accounts for; `ceiling`: so much that the machine may
 * run out of it, whatever it is for; `heap`: so much that V8 may abort.
 */
export type MemoryFault = 'growth' | 'ceiling' | 'heap';

export interface MemoryExcess {
  readonly fault: MemoryFault;
  /** Resident, or of the heap. */
  readonly megabytes: number;
  /** What the load accounts for. */
  readonly expectedMB: number;
  /** Which was reached. */
  readonly limitMB: number;
}

/** This part of V8's heap limit is too much: near the limit collections take most of the time. */
const HEAP_PART = 0.85;

/** Null when a worker's memory is as it should be. */
export function judgeMemory(sample: MemorySample, { limitMB, ceilingMB }: MemoryLimits): MemoryExcess | null {
  const residentMB = Math.round(sample.residentBytes / MIB);
  const expectedMB = Math.round(sample.expectedBytes / MIB);
  if (limitMB > 0 && residentMB - expectedMB >= limitMB)
    return { fault: 'growth', megabytes: residentMB, expectedMB, limitMB };
  if (ceilingMB === 0) return null;
  if (residentMB >= ceilingMB) return { fault: 'ceiling', megabytes: residentMB, expectedMB, limitMB: ceilingMB };
  const heapLimit = sample.heapLimitBytes * HEAP_PART;
  if (sample.heapBytes < heapLimit) return null;
  const megabytes = Math.round(sample.heapBytes / MIB);
  return { fault: 'heap', megabytes, expectedMB, limitMB: Math.floor(heapLimit / MIB) };
}

/** This part of the machine's memory is for workers; the rest for the master, the admin interface, successors, the system. */
const WORKERS_PART = 0.8;
/** A worker that has just begun takes half of it: below, every one would be too large. MiB. */
const LEAST_MB = 200;
/** A leak is one, on a machine of any size. MiB. */
const MOST_MB = 1_000;

/** `server.memory`, as far as it is given. */
export interface MemorySettings {
  readonly limitMB?: number | null | undefined;
  readonly ceilingMB?: number | null | undefined;
}

/**
 * The limits, where the configuration has none: the ceiling is a worker's share of the memory that there is, the limit
 * half of it, between 200 and 1,000. A limit that was chosen is a word about the ceiling, too: it is not below, and 0 wants none.
 * @param memoryBytes of the machine, or of the control group
 */
export function memoryLimits(
  memoryBytes: number,
  workers: number,
  { limitMB, ceilingMB }: MemorySettings = {},
): MemoryLimits {
  const share = Math.floor((memoryBytes * WORKERS_PART) / workers / MIB);
  return {
    limitMB: limitMB ?? Math.min(MOST_MB, Math.max(LEAST_MB, Math.floor(share / 2))),
    ceilingMB: ceilingMB ?? (limitMB === 0 ? 0 : Math.max(LEAST_MB, share, limitMB ?? 0)),
  };
}
