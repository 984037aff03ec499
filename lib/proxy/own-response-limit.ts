import type { CutReason } from '../core/record/cut-reason.ts';
import { ReadPace } from '../core/limits/pace.ts';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import type { Exchange } from './exchange.ts';

/** What limits the router's own answers. */
export interface ResponseLimits {
  readonly clock: TimeLimits;
  /** Silence that is borne while the client reads the answer, ms; 0 is for ever. */
  readonly readMs: number;
  /** Bytes per second that the client must take, in the time in which it holds the answer up; 0 is any. */
  readonly readMinRate: number;
  /** Told of each client that is cut off. */
  readonly onCut: (reason: CutReason, exchange: Exchange) => void;
}

/**
 * Cuts an exchange off whose answer, which was begun, does not get on: its client does not read. An answer that waits
 * behind those to earlier requests of the connection has its time from its turn on.
 * @returns to be called when it has got on in a way that its response does not tell of
 */
export function limitResponse(exchange: Exchange, { clock, readMs, readMinRate, onCut }: ResponseLimits): () => void {
  const { response } = exchange;
  const pace = new ReadPace(readMinRate, readMs);
  let movedAt = performance.now();
  let taken = 0;
  const putOff = (): void => {
    movedAt = performance.now();
    if (!exchange.isEnded) clock.set(timer, readMs);
  };
  const cut = (): void => {
    if (!exchange.isEnded) onCut('slow-reader', exchange);
    exchange.cut();
  };
  const timer = new Timer(() => {
    // Without a socket it is not its turn: whoever has it has limits of its own.
    if (response.socket === null) putOff();
    else cut();
  });
  response.on('socket', putOff);
  // Its client has taken what was written.
  response.on('drain', () => {
    const { bytesSent } = exchange;
    if (pace.isTooSlow(bytesSent - taken, performance.now() - movedAt)) return cut();
    taken = bytesSent;
    putOff();
  });
  void exchange.ended.then(() => clock.clear(timer));
  putOff();
  return putOff;
}
