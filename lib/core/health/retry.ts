import type { Outcome, RequestTraits } from '../routing/types.ts';

/** Methods that may be sent twice without harm (RFC 9110 §9.2.2), as far as the router answers for it. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * How long a connection may have been idle that is used for a request which must not be sent twice, ms. Servers that do
 * not announce their idle timeout close after a second at the earliest: by then such a request goes by a new connection,
 * and cannot cross the close.
 */
export const UNSAFE_IDLE_MS = 500;

/** Connections in a row that the backend had closed, after which the failure counts as the backend's. */
export const STALE_LIMIT = 3;

/** A connection that the backend had closed fails after one round trip, on busy machines a little later, ms. */
const STALE_MS = 500;

/** Whether sending a request twice is the same as sending it once. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * May a request be sent again whose connection, which had served others, failed before a byte of an answer came?
 * @param isUnsent it is certain that the backend has read nothing of it: the connection was closed before the first byte
 *   was written, no byte was taken from it, or the backend said so (RFC 9113 §8.7)
 */
export function mayResend(method: string, isUnsent: boolean): boolean {
  return isUnsent || IDEMPOTENT.has(method);
}

/**
 * What such a failure is where the request may not be sent again. One that came at once may be the end of an idle
 * connection, which says nothing about the backend.
 * @param tookMs since the request began to be sent
 */
export function lossOnReused(tookMs: number): 'dropped' | 'broken' {
  return tookMs <= STALE_MS ? 'dropped' : 'broken';
}

/**
 * May this request be tried on another backend?
 * @param retries how many there have been already
 * @param limit how many there may be
 */
export function mayRetry(outcome: Outcome, traits: RequestTraits, retries: number, limit: number): boolean {
  if (retries >= limit) return false;
  switch (outcome.type) {
    case 'unreachable':
    case 'crowded':
    case 'unfit':
      return true;
    case 'broken':
    case 'dropped':
    case 'silent':
      return IDEMPOTENT.has(traits.method) && !traits.hasBody;
    case 'garbled':
    case 'answered':
    case 'upgraded':
    case 'abandoned':
      return false;
  }
}
