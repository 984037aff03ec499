/** Sends the snapshot of Redis from one master to its successor. */
import type { ChildProcess } from 'node:child_process';
import type { KnownRun } from '../../store/cache/known-routes.ts';
import type { UpdatedRoute } from '../../store/cache/snapshot-updates.ts';

/** What is known of the Redis at this URL. */
export interface Inheritance {
  readonly driver: string;
  readonly run: KnownRun;
  readonly routes: Iterable<UpdatedRoute>;
}

/** A message with part of it. The last one has no routes. */
interface Part {
  readonly type: 'known';
  readonly driver: string;
  readonly run: KnownRun;
  readonly routes: readonly UpdatedRoute[];
}

/** Set in the environment of a successor that is sent the snapshot. Without it the program does not wait. */
const NAME = 'HIPACHE_HANDOVER';
/** Characters per message: written and read within a few milliseconds. */
const PART = 128 * 1024;
/** How long a successor waits for all, ms. Then it starts with what it has. */
const LIMIT_MS = 10_000;

/** The environment of a successor. */
export const HANDOVER: Readonly<Record<string, string>> = { [NAME]: '1' };

/** Whether another master started this one and serves until this one does. Call it before `takeOverSnapshot`. */
export function hasPredecessor(env: NodeJS.ProcessEnv): boolean {
  return env[NAME] === HANDOVER[NAME] && process.connected;
}

/**
 * Sends the snapshot in parts, each after the one before was written. Resolves when all were, or the successor has
 * exited.
 */
export async function handOverSnapshot(successor: ChildProcess, { driver, run, routes }: Inheritance): Promise<void> {
  const say = (part: readonly UpdatedRoute[]): Promise<boolean> =>
    new Promise((resolve) => {
      if (!successor.connected) return resolve(false);
      const message: Part = { type: 'known', driver, run, routes: part };
      successor.send(message, (error) => resolve(error === null));
    });
  let part: UpdatedRoute[] = [];
  let size = 0;
  for (const learnt of routes) {
    part.push(learnt);
    size += learnt[0].length + (learnt[2]?.length ?? 0);
    if (size < PART) continue;
    if (!(await say(part))) return;
    part = [];
    size = 0;
  }
  if (part.length > 0) await say(part);
  await say([]);
}

/**
 * Receives a predecessor's snapshot, if there is one. Resolves when it has all, or the predecessor exits or takes too
 * long.
 */
export async function takeOverSnapshot(env: NodeJS.ProcessEnv, take: (estate: Inheritance) => void): Promise<void> {
  const isPromised = hasPredecessor(env);
  delete env[NAME];
  if (!isPromised) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(end, LIMIT_MS);
    function end(): void {
      clearTimeout(timer);
      process.off('message', hear);
      process.off('disconnect', end);
      resolve();
    }
    function hear(message: Part): void {
      if (message.type !== 'known') return;
      take(message);
      if (message.routes.length === 0) end();
    }
    process.on('message', hear);
    process.once('disconnect', end);
  });
}
