import type { Outcome } from '../core/routing/types.ts';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import type { Exchange } from './exchange.ts';

/**
 * Waits for work that cannot be cancelled, until the time limit, or until the client has left.
 * @param work never rejects
 * @param limitMs 0 is no limit
 * @param discard called with a result that comes too late
 */
export function inTime<T>(
  exchange: Exchange,
  work: Promise<T>,
  { clock, limitMs }: { readonly clock: TimeLimits; readonly limitMs: number },
  discard: (late: T) => void,
): Promise<T | Outcome> {
  return new Promise((resolve) => {
    let isOver = false;
    const timer = new Timer(() => {
      stop({
        type: 'silent',
        cause: new Error('the file system did not respond in time'),
        hasRespondedToOthers: false,
      });
    });
    const stop = (outcome: Outcome | null): void => {
      isOver = true;
      exchange.onInterrupt = null;
      clock.clear(timer);
      if (outcome !== null) resolve(outcome);
    };
    exchange.onInterrupt = () => stop({ type: 'abandoned' });
    clock.set(timer, limitMs);
    void work.then((result) => {
      if (isOver) return discard(result);
      stop(null);
      resolve(result);
    });
  });
}
