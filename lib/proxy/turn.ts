import type { Place, Places } from '../core/places.ts';
import type { Outcome } from '../core/types.ts';
import { Alarm, type AlarmClock } from './alarms.ts';
import type { Exchange } from './exchange.ts';

/**
 * Waits for one of a backend's places.
 * @param server as `serverOf` says
 * @param limitMs 0 is none
 * @returns the place, or how the attempt ended without one
 */
export async function awaitPlace(
  exchange: Exchange,
  server: string,
  places: Places,
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
    const leaveQueue = places.wait(server, settle);
    exchange.onInterrupt = () => settle({ type: 'abandoned' });
    clock.set(alarm, limitMs);
  });
}
