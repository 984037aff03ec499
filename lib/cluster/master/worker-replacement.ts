/** Replaces workers that use too much memory, hang, leave or have died, and logs that. */
import type { Worker } from 'node:cluster';
import type { MemoryExcess, MemoryFault } from '../../core/limits/memory-judgement.ts';
import { describeCause, type Log } from '../../observe/log.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** How long after a replacement for memory the next may follow, ms: for a while both workers run. */
const GAP_MS = 30_000;

/** Replaces workers that use too much memory, one at a time: replacing all at once would need twice the memory. */
export class WorkerReplacement {
  readonly #log: Log;
  readonly #now: () => number;
  #isReplacing = false;
  #notBefore = -Infinity;

  /** @param now the current time, ms; only differences matter */
  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** A worker uses too much memory. It sends this repeatedly, so a request may be ignored. */
  async ask(worker: Worker, slot: WorkerSlot, excess: MemoryExcess): Promise<void> {
    if (this.#isReplacing || (this.#now() < this.#notBefore && !slot.isResting(this.#now()))) return;
    this.#isReplacing = true;
    try {
      if (await replaceForMemory(worker, slot, excess, this.#now(), this.#log)) this.#notBefore = this.#now() + GAP_MS;
    } finally {
      this.#isReplacing = false;
    }
  }
}

/** Replaces a worker, unless its predecessor was replaced shortly before. @returns whether a successor was started */
async function replaceForMemory(
  worker: Worker,
  slot: WorkerSlot,
  { fault, megabytes, expectedMB, limitMB }: MemoryExcess,
  now: number,
  log: Log,
): Promise<boolean> {
  const { pid } = worker.process;
  const restMs = slot.askForReplacement(worker, now);
  if (restMs === null) return false;
  const size = `worker ${pid} uses ${inWords(fault, megabytes, expectedMB)}`;
  const fields = { worker: pid, megabytes, expectedMB, limitMB };
  if (restMs === 0) {
    log.warn({ ...REPLACED[fault], ...fields }, `${size}: it is replaced`);
    await replace(worker, slot, log);
    return true;
  }
  const minutes = Math.ceil(restMs / 60_000);
  log.warn(
    { event: 'worker-still-fat', fault, ...fields, restMs: Math.ceil(restMs) },
    `${size}, and its predecessor was replaced shortly before: it is kept for the next ${minutes} min; ` +
      ADVICE[fault](limitMB),
  );
  return false;
}

/** The event that is logged when a worker is replaced for its memory. */
const REPLACED = {
  growth: { event: 'worker-fat' },
  ceiling: { event: 'worker-ceiling' },
  heap: { event: 'worker-heap' },
} as const;

const ADVICE: Readonly<Record<MemoryFault, (limitMB: number) => string>> = {
  growth: (limitMB) => `server.memory.limitMB (${limitMB}) may be less than any worker needs`,
  ceiling: (limitMB) => `its work may need more memory than there is (server.memory.ceilingMB is ${limitMB})`,
  heap: (limitMB) => `V8's heap (${limitMB} MB are safe) may be too small for what it does: see --max-old-space-size`,
};

function inWords(fault: MemoryFault, megabytes: number, expectedMB: number): string {
  const what = fault === 'heap' ? `${megabytes} MB of V8's heap` : `${megabytes} MB`;
  return `${what}, of which its load accounts for ${expectedMB}`;
}

/** Kills a worker that hangs, after a successor was started if possible. */
export async function replaceStuck(worker: Worker, slot: WorkerSlot, silentMs: number, log: Log): Promise<void> {
  const { pid } = worker.process;
  log.error(
    { event: 'worker-stuck', worker: pid, silentMs: Math.round(silentMs) },
    `worker ${pid} has not responded for ${Math.round(silentMs / 1000)} s: it is replaced`,
  );
  try {
    await slot.killStuck(worker);
  } catch (error) {
    logNoSuccessor(worker, 'is killed nevertheless', error, log);
  }
}

/** Replaces a worker, which serves until its successor is ready. */
export async function replace(worker: Worker, slot: WorkerSlot, log: Log): Promise<void> {
  try {
    await slot.replace(worker);
  } catch (error) {
    logNoSuccessor(worker, 'goes on', error, log);
  }
}

/**
 * Logs a worker's end.
 * @param pid undefined when there was no process
 * @param respawnMs when its successor is started; null when there is none: the worker was meant to end, or the start
 *   fails, and that event has the reason
 */
export function logExit(pid: number | undefined, how: string, respawnMs: number | null, log: Log): void {
  const what = pid === undefined ? how : `worker ${pid} died (${how})`;
  if (respawnMs === null) log.debug({ event: 'worker-ended', worker: pid }, pid ? `worker ${pid} ended` : what);
  else {
    const when = respawnMs === 0 ? 'now' : `in ${respawnMs} ms`;
    log.error({ event: 'worker-died', worker: pid, how, respawnMs }, `${what}; its successor starts ${when}`);
  }
}

function logNoSuccessor({ process: { pid } }: Worker, fate: string, error: unknown, log: Log): void {
  const cause = describeCause(error);
  log.error(
    { event: 'successor-failed', worker: pid, cause },
    `worker ${pid} ${fate}: its successor could not start: ${cause}`,
  );
}
