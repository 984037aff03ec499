/** Who takes the place of a worker that is too fat, hangs, leaves or has died, and what the operator hears of it. */
import type { Worker } from 'node:cluster';
import { describeCause, type Log } from '../observe/log.ts';
import type { Slot } from './slot.ts';

/** Replaces a worker that is past `server.memory.limitMB`, unless its predecessor was just replaced for that. */
export async function relieveFat(
  worker: Worker,
  slot: Slot,
  { megabytes, limitMB }: { readonly megabytes: number; readonly limitMB: number },
  log: Log,
): Promise<void> {
  const { pid } = worker.process;
  const restMs = slot.askForRelief(worker, performance.now());
  if (restMs === null) return;
  const size = `worker ${pid} uses ${megabytes} MB`;
  if (restMs === 0) {
    log.warn({ event: 'worker-fat', worker: pid, megabytes, limitMB }, `${size}: it is replaced`);
    await replace(worker, slot, log);
    return;
  }
  const minutes = Math.ceil(restMs / 60_000);
  log.warn(
    { event: 'worker-still-fat', worker: pid, megabytes, limitMB, restMs: Math.ceil(restMs) },
    `${size}, and its predecessor was only just replaced: it stays for the next ${minutes} min; ` +
      `server.memory.limitMB (${limitMB}) may be less than any worker needs`,
  );
}

/** Ends a worker that hangs, with a successor in its place where there can be one. */
export async function relieveStuck(worker: Worker, slot: Slot, silentMs: number, log: Log): Promise<void> {
  const { pid } = worker.process;
  log.error(
    { event: 'worker-stuck', worker: pid, silentMs: Math.round(silentMs) },
    `worker ${pid} has hung for ${Math.round(silentMs / 1000)} s: it is replaced`,
  );
  try {
    await slot.relieve(worker);
  } catch (error) {
    logNoSuccessor(worker, 'ends all the same', error, log);
  }
}

/** Replaces a worker that serves until it has a successor. */
export async function replace(worker: Worker, slot: Slot, log: Log): Promise<void> {
  try {
    await slot.replace(worker);
  } catch (error) {
    logNoSuccessor(worker, 'goes on', error, log);
  }
}

/**
 * Tells of a worker's end.
 * @param pid undefined when there was never a process
 * @param respawnMs when another takes its place; null when none has to
 */
export function logExit(
  pid: number | undefined,
  how: string,
  respawnMs: number | null,
  hasServed: boolean,
  log: Log,
): void {
  const what = pid === undefined ? how : `worker ${pid} died (${how})`;
  if (respawnMs === null) log.debug({ event: 'worker-ended', worker: pid }, pid ? `worker ${pid} ended` : what);
  // What a first generation dies of is said once, as the reason for the program's end.
  else if (hasServed) {
    const when = respawnMs === 0 ? 'now' : `in ${respawnMs} ms`;
    log.error({ event: 'worker-died', worker: pid, how, respawnMs }, `${what}; another starts ${when}`);
  }
}

function logNoSuccessor({ process: { pid } }: Worker, fate: string, error: unknown, log: Log): void {
  const cause = describeCause(error);
  log.error(
    { event: 'successor-failed', worker: pid, cause },
    `worker ${pid} ${fate}, its successor could not start: ${cause}`,
  );
}
