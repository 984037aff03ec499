import type { CutReason } from '../core/record/cut-reason.ts';
import { ReadPace } from '../core/limits/pace.ts';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import type { Exchange } from './exchange.ts';

/** Limits of the router's own responses. */
export interface ResponseLimits {
  readonly clock: TimeLimits;
  /** For how long the client may read nothing of the response, ms; 0 is no limit. */
  readonly readMs: number;
  /** Minimum rate, bytes per second, in the time in which the client holds the response up; 0 is no limit. */
  readonly readMinRate: number;
  /** Called for each client that is cut off. */
  readonly onCut: (reason: CutReason, exchange: Exchange) => void;
}

/**
 * Cuts off a client that does not read the router's own response. The time limit of a response that waits behind
 * earlier ones of the connection starts with its turn.
 * @returns call it on progress that the response's events do not show
 */
export function limitResponse(exchange: Exchange, parts: ResponseLimits): () => void {
  const { clock, readMinRate, onCut } = parts;
  const { response } = exchange;
  const { readMs } = exchange.limits ?? parts;
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
    // Without a socket it is another response's turn, which has its own limits. Else it may wait for its site's bandwidth.
    if (response.socket === null || exchange.flow?.isWaiting === true) putOff();
    else cut();
  });
  response.on('socket', putOff);
  // The client has read what was written.
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
