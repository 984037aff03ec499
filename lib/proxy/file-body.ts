import type { FileHandle } from 'node:fs/promises';
import { Alarm, type AlarmClock } from './alarms.ts';
import type { Exchange } from './exchange.ts';

/**
 * Sends part of a file as the body of an answer whose head was written, at the client's pace, and closes the file. Cuts
 * the client off when the file has become shorter, or cannot be read.
 * @param limitMs silence that is borne; 0 for ever
 */
export function sendBody(
  exchange: Exchange,
  handle: FileHandle,
  part: { readonly start: number; readonly length: number },
  { clock, limitMs }: { readonly clock: AlarmClock; readonly limitMs: number },
): void {
  const { response } = exchange;
  const file = handle.createReadStream({ start: part.start, end: part.start + part.length - 1 });
  const alarm = new Alarm(() => exchange.cut());
  let left = part.length;
  file.on('data', (chunk) => {
    left -= chunk.length;
    exchange.bytesSent += chunk.length;
    clock.set(alarm, limitMs);
    if (!response.write(chunk)) file.pause();
  });
  response.on('drain', () => {
    clock.set(alarm, limitMs);
    file.resume();
  });
  file.once('end', () => {
    // Half of a file must not look like a whole one, nor keep the client waiting for the rest.
    if (left > 0) exchange.cut();
    else response.end();
  });
  file.on('error', () => exchange.cut());
  void exchange.ended.then(() => {
    clock.clear(alarm);
    file.destroy();
  });
  clock.set(alarm, limitMs);
}
