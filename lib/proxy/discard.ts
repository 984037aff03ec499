import type { IncomingMessage } from 'node:http';
import { Alarm, type AlarmClock } from './alarms.ts';

/** How much of a body nobody wants is read, so that the client can hear the answer before the connection closes. */
const DISCARD_BYTES = 262_144;

/**
 * Reads and forgets the rest of a request's body after its answer, up to a bound; past it, or when it stops coming,
 * the connection is destroyed. Closing at once would reset the connection, and the answer could be lost with it.
 * @param limitMs silence that is borne; 0 for ever
 */
export function discardBody(request: IncomingMessage, clock: AlarmClock, limitMs: number): void {
  let left = DISCARD_BYTES;
  const alarm = new Alarm(() => request.destroy());
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
    else clock.set(alarm, limitMs);
  });
  const stop = (): void => clock.clear(alarm);
  request.once('end', stop);
  request.once('close', stop);
  request.on('error', stop);
  clock.set(alarm, limitMs);
  request.resume();
}
