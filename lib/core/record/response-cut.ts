import type { Backend } from '../routing/types.ts';

/** A response that its backend broke off after its head. The client was cut off, so that it does not look complete. */
export interface ResponseCut {
  readonly client: string;
  /** The requested host, if known. */
  readonly host: string | null;
  readonly backend: Backend | null;
  /** Why it was broken off. */
  readonly why: Error;
}

/** Nothing came from the backend for `timeouts.response`. */
export function stoppedComing(): Error {
  return new Error('nothing more of the response came in time');
}
