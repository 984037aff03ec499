import { getHeapStatistics } from 'node:v8';
import {
  expectedBytes,
  judgeMemory,
  type Load,
  type MemoryExcess,
  type MemoryLimits,
} from '../core/limits/memory-judgement.ts';

/** How often the load is sampled, ms. */
const LOAD_MS = 1_000;

/** Settings and callbacks of `watchMemory`. */
export interface MemoryWatch {
  readonly limits: MemoryLimits;
  /** Between two checks of the memory, seconds. */
  readonly intervalSeconds: number;
  /** Returns the current load of the process. */
  readonly load: () => Load;
  /** Called at each check at which the process uses too much. */
  readonly onExcess: (excess: MemoryExcess) => void;
}

/** Checks the memory of this process regularly. @returns a function that stops the checks */
export function watchMemory({ limits, intervalSeconds, load, onExcess }: MemoryWatch): () => void {
  if (limits.limitMB === 0 && limits.ceilingMB === 0) return () => {};
  let most = 0;
  const weigh = (): void => {
    most = Math.max(most, expectedBytes(load()));
  };
  const look = (): void => {
    weigh();
    const { used_heap_size: heapBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics();
    const residentBytes = process.memoryUsage.rss();
    const excess = judgeMemory({ residentBytes, heapBytes, heapLimitBytes, expectedBytes: most }, limits);
    if (excess !== null) onExcess(excess);
  };
  const timers = [setInterval(weigh, LOAD_MS), setInterval(look, intervalSeconds * 1000)];
  for (const timer of timers) timer.unref();
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
