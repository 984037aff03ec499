import { Worker } from 'node:worker_threads';
import { packagedProgram } from '../../config/package.ts';
import { unreadable, type GoodReading, type Reading } from './routes-reading.ts';

/** The input of the thread: the path, and the digest of the last good file, if any. */
export interface ReadingOrder {
  readonly path: string;
  readonly known: string | null;
  readonly otherOptions: readonly string[];
}

/** A file of 64 MB takes about ten seconds. */
const LIMIT_MS = 120_000;
const GIVEN_UP = 'was aborted';

/**
 * Reads a routes file in a thread of its own, so that the caller's event loop is not blocked and the memory is freed
 * with the thread. If the thread dies, the file counts as unreadable. Never rejects.
 * @param known the last good reading, which is returned again if the file is unchanged
 * @param signal aborts the reading
 * @param otherOptions as in `readRoutes`
 */
export function readAside(
  path: string,
  known: GoodReading | null,
  signal: AbortSignal,
  otherOptions: readonly string[] = [],
): Promise<Reading> {
  if (signal.aborted) return Promise.resolve(unreadable(GIVEN_UP));
  return new Promise((resolve) => {
    const order: ReadingOrder = { path, known: known?.digest ?? null, otherOptions };
    let thread: Worker;
    try {
      thread = new Worker(packagedProgram('store/file/reading-main'), { workerData: order });
    } catch (error) {
      // The system has no threads left.
      resolve(unreadable(`cannot be read: ${String(error)}`));
      return;
    }
    const end = (reading: Reading): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      resolve(reading);
      void thread.terminate();
    };
    const giveUp = (): void => end(unreadable(GIVEN_UP));
    const timer = setTimeout(() => end(unreadable(`could not be read within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
    signal.addEventListener('abort', giveUp);
    const silence = unreadable('cannot be read: its reader thread exited without a result');
    thread.once('message', (reading: Reading | null) => end(reading ?? known ?? silence));
    // A thread that runs out of memory ends; the process does not.
    thread.once('error', (error) => end(unreadable(`cannot be read: ${String(error)}`)));
    thread.once('exit', () => end(silence));
  });
}
