import { clientKey } from '../limits/client-key.ts';

/** How many of a backend's latest responses count. */
const LATEST = 10;
/** How many of them must be failures. */
const FAILURES = 3;
/** From how many clients these must have been requested. */
const CLIENTS = 2;

/** A response that would show that its backend is dead. */
export interface FailedResponse {
  /** Number of responses of the backend, up to and with this one. */
  readonly count: number;
  /** The address of the client, as in logs. */
  readonly client: string;
}

/** Those that can still count after another one, oldest first. */
export function withFailure(failed: readonly FailedResponse[], next: FailedResponse): readonly FailedResponse[] {
  return [...failed.filter(({ count }) => count > next.count - LATEST), next];
}

/**
 * Whether responses agree that their backend is dead: several of the latest ones, to more than one client. On many
 * applications one client can bring about a response of 502 whenever it likes, with a healthy backend.
 * @param failed as `withFailure` returns them
 */
export function areAgreed(failed: readonly FailedResponse[]): boolean {
  return failed.length >= FAILURES && new Set(failed.map(({ client }) => clientKey(client))).size >= CLIENTS;
}
