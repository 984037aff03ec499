import { Alarm, type AlarmClock } from './alarms.ts';
import type { Exchange } from './exchange.ts';

/**
 * Cuts an exchange off whose answer, which was begun, does not get on: its client does not read. An answer that waits
 * behind those to earlier requests of the connection has its time from its turn on.
 * @param limitMs 0 is for ever
 * @returns to be called when it has got on in a way that its response does not tell of
 */
export function limitAnswer(
  exchange: Exchange,
  { clock, limitMs }: { readonly clock: AlarmClock; readonly limitMs: number },
): () => void {
  const { response } = exchange;
  const putOff = (): void => {
    if (!exchange.isEnded) clock.set(alarm, limitMs);
  };
  const alarm = new Alarm(() => {
    // Without a socket it is not its turn: whoever has it has limits of its own.
    if (response.socket === null) putOff();
    else exchange.cut();
  });
  // Its turn has come; its client has taken what was written.
  response.on('socket', putOff).on('drain', putOff);
  void exchange.ended.then(() => clock.clear(alarm));
  putOff();
  return putOff;
}
