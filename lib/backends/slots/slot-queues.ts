/** Waiting for connection slots. */
import { Timer, type TimeLimits } from '../../clock/time-limits.ts';
import type { Outcome } from '../../core/routing/types.ts';
import type { ConnectionSlot } from './backend-slots.ts';
import type { ConnectionSlots } from './connection-slots.ts';

/** How often queues for slots are checked while there are any, ms. */
const LOOK_MS = 200;

/** An exchange that can be interrupted while it waits. */
export interface Interruptible {
  onInterrupt: (() => void) | null;
}

/** Takes slots from clients that hold more than their share of them, while other requests wait. */
export function watchCrowds(slots: ConnectionSlots, clock: TimeLimits): void {
  const timer = new Timer(() => {
    if (slots.relieve(performance.now())) clock.set(timer, LOOK_MS);
  });
  slots.onCrowd = () => clock.set(timer, LOOK_MS);
}

/**
 * Waits for a slot of a backend.
 * @param wait joins the queue, as `ConnectionSlots.wait` does
 * @param limitMs 0 is no limit
 * @returns the slot, or the outcome of the attempt
 */
export async function awaitSlot(
  exchange: Interruptible,
  wait: (onTurn: (slot: ConnectionSlot) => void) => () => void,
  clock: TimeLimits,
  limitMs: number,
): Promise<ConnectionSlot | Outcome> {
  return await new Promise((resolve) => {
    const settle = (result: ConnectionSlot | Outcome): void => {
      leaveQueue();
      clock.clear(timer);
      exchange.onInterrupt = null;
      resolve(result);
    };
    const timer = new Timer(() => settle({ type: 'crowded', cause: new Error('no connection was free in time') }));
    const leaveQueue = wait(settle);
    exchange.onInterrupt = () => settle({ type: 'abandoned' });
    clock.set(timer, limitMs);
  });
}
