/** How much memory a worker may use: what its load accounts for, plus a limit. */

const MIB = 1_048_576;
const KIB = 1_024;

/** What accounts for a worker's memory. */
export interface Load {
  /** Client connections, including the following two kinds. */
  readonly connections: number;
  readonly secureConnections: number;
  readonly sessions: number;
  /** HTTP/2 streams, and reusable stream objects. */
  readonly streams: number;
  /** WebSockets. */
  readonly tunnels: number;
  /** Requests under way, without tunnels. */
  readonly exchanges: number;
  /** Hosts with cached routes. */
  readonly hosts: number;
  /** Size of the routes file and its certificates. */
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
  // These two hold what slow readers have not read.
  tunnels: 64 * KIB,
  exchanges: 96 * KIB,
  hosts: 8 * KIB,
  // While a new file replaces the old one, there are both, and the pieces received.
  routesBytes: 3,
  certificates: 64 * KIB,
};

/** The memory that the load accounts for, bytes, beyond that of an idle worker. */
export function expectedBytes(load: Load): number {
  let bytes = 0;
  for (const [what, each] of Object.entries(ALLOWANCE)) bytes += load[what as keyof Load] * each;
  return bytes;
}

/** `server.memory`, MiB; 0 is no limit. */
export interface MemoryLimits {
  /** Limit of memory beyond what the load accounts for. */
  readonly limitMB: number;
  /** Limit of all memory. */
  readonly ceilingMB: number;
}

/** Bytes. */
export interface MemorySample {
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** V8 aborts with more. */
  readonly heapLimitBytes: number;
  /** The maximum that the load has accounted for: used memory is rarely given back. */
  readonly expectedBytes: number;
}

/**
 * Why a worker takes too much memory. `growth`: more than its load accounts for; `ceiling`: so much that the machine may
 * run out of it, whatever it is for; `heap`: so much that V8 may abort.
 */
export type MemoryFault = 'growth' | 'ceiling' | 'heap';

export interface MemoryExcess {
  readonly fault: MemoryFault;
  /** Resident memory, or heap. */
  readonly megabytes: number;
  /** What the load accounts for. */
  readonly expectedMB: number;
  /** The limit that was reached. */
  readonly limitMB: number;
}

/** The share of V8's heap limit that is too much: near the limit, garbage collection takes most of the time. */
const HEAP_PART = 0.85;

/** Null when a worker's memory is within its limits. */
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

/**
 * The share of the machine's memory for workers; the rest is for the master, the admin interface, successors and the
 * system.
 */
const WORKERS_PART = 0.8;
/** Minimum limit, MiB: a new worker already uses half of it. */
const LEAST_MB = 200;
/** Maximum default limit, MiB: more is a leak on any machine. */
const MOST_MB = 1_000;

/** The configured part of `server.memory`. */
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
