/** Acts at a fixed rate. */
import { setTimeout as delay } from 'node:timers/promises';

/** Few at a time: a system that has to serve many at once delays others, whatever it does. */
const TICK_MS = 1;

/** Calls `act` so many times a second, until the time is over, or so many times. What a late timer has missed follows at once. */
export async function paced(perSecond: number, seconds: number, act: () => void, count = Infinity): Promise<void> {
  const start = performance.now();
  let done = 0;
  for (;;) {
    const elapsed = (performance.now() - start) / 1000;
    if (elapsed >= seconds) return;
    for (const due = Math.min(count, elapsed * perSecond); done < due; done++) act();
    await delay(TICK_MS);
  }
}
