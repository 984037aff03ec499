/** Waiting for connection slots. */
import { Alarm, type AlarmClock } from '../../clock/time-limits.ts';
import type { Outcome } from '../../core/routing/types.ts';
import type { Place, Places } from './connection-slots.ts';

/** How often queues for slots are looked at while there are any, ms. */
const LOOK_MS = 200;

/** What can be stopped while it waits: an exchange of the full lane. */
export interface Interruptible {
  onInterrupt: (() => void) | null;
}

/** Takes slots from clients that hold more than their share of them, while other requests wait. */
export function watchCrowds(places: Places, clock: AlarmClock): void {
  const alarm = new Alarm(() => {
    if (places.relieve(performance.now())) clock.set(alarm, LOOK_MS);
  });
  places.onCrowd = () => clock.set(alarm, LOOK_MS);
}

/**
 * Waits for one of a backend's places.
 * @param wait joins the queue, as `Places.wait` does
 * @param limitMs 0 is none
 * @returns the place, or how the attempt ended without one
 */
export async function awaitPlace(
  exchange: Interruptible,
  wait: (onTurn: (place: Place) => void) => () => void,
  clock: AlarmClock,
  limitMs: number,
): Promise<Place | Outcome> {
  return await new Promise((resolve) => {
    const settle = (result: Place | Outcome): void => {
      leaveQueue();
      clock.clear(alarm);
      exchange.onInterrupt = null;
      resolve(result);
    };
    const alarm = new Alarm(() => settle({ type: 'crowded', cause: new Error('no connection was free in time') }));
    const leaveQueue = wait(settle);
    exchange.onInterrupt = () => settle({ type: 'abandoned' });
    clock.set(alarm, limitMs);
  });
}
