/** What one master knows of Redis, on its way to the one that takes over from it. */
import type { ChildProcess } from 'node:child_process';
import type { KnownRun } from '../../store/cache/known-routes.ts';
import type { UpdatedRoute } from '../../store/cache/snapshot-updates.ts';

/** What is known of the Redis that this URL names. */
export interface Inheritance {
  readonly driver: string;
  readonly run: KnownRun;
  readonly routes: Iterable<UpdatedRoute>;
}

/** A part of it. The last has no routes. */
interface Part {
  readonly type: 'known';
  readonly driver: string;
  readonly run: KnownRun;
  readonly routes: readonly UpdatedRoute[];
}

/** Says that parts will come: a program that was started otherwise does not wait for any. */
const NAME = 'HIPACHE_HANDOVER';
/** Characters of a part: written and read within a few milliseconds. */
const PART = 128 * 1024;
/** For all of them, ms: then the successor starts with what it has. */
const LIMIT_MS = 10_000;

/** What the successor's environment has to hold. */
export const HANDOVER: Readonly<Record<string, string>> = { [NAME]: '1' };

/** Whether another master started this one and serves until this one does. Before `takeOverSnapshot`. */
export function hasPredecessor(env: NodeJS.ProcessEnv): boolean {
  return env[NAME] === HANDOVER[NAME] && process.connected;
}

/** Sends it, part by part, each when the one before has been written. Resolves when all are, or the successor has ended. */
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

/** Takes what a predecessor sends, if there is one. Resolves when it has sent all, ends, or takes too long. */
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
