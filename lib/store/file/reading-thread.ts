import { Worker } from 'node:worker_threads';
import { unreadable, type GoodReading, type Reading } from './routes-reading.ts';

/** What the thread is told: the digest of what is known to be good comes with it, if anything is. */
export interface ReadingOrder {
  readonly path: string;
  readonly known: string | null;
}

/** A file of 64 MB takes some ten seconds. */
const LIMIT_MS = 120_000;
const GIVEN_UP = 'was given up';

/**
 * Reads a routes file in a thread of its own, which lasts as long as that: the caller's event loop goes on, and what
 * the reading took of memory is gone with the thread. Should the thread die, the file is one that cannot be read.
 * Never rejects.
 * @param known what the file last was, which is told again when it still is that
 * @param signal ends the reading early
 */
export function readAside(path: string, known: GoodReading | null, signal: AbortSignal): Promise<Reading> {
  if (signal.aborted) return Promise.resolve(unreadable(GIVEN_UP));
  return new Promise((resolve) => {
    const order: ReadingOrder = { path, known: known?.digest ?? null };
    let thread: Worker;
    try {
      thread = new Worker(new URL('reading-main.js', import.meta.url), { workerData: order });
    } catch (error) {
      // Where the system has no threads left.
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
    const silence = unreadable('cannot be read: its reader told nothing');
    thread.once('message', (reading: Reading | null) => end(reading ?? known ?? silence));
    // Also when it has no memory left: that is the thread's end, not ours.
    thread.once('error', (error) => end(unreadable(`cannot be read: ${String(error)}`)));
    thread.once('exit', () => end(silence));
  });
}
