import type { Backend } from '../routing/types.ts';

/** A response that its backend broke off behind its head: its client was cut off, so that it does not look complete. */
export interface ResponseCut {
  readonly client: string;
  /** That was asked for, where that is known. */
  readonly host: string | null;
  readonly backend: Backend | null;
  /** What became of the response. */
  readonly why: Error;
}

/** Nothing came from the backend for `timeouts.response`. */
export function stoppedComing(): Error {
  return new Error('nothing more of the response came in time');
}
