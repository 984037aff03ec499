import type { Outcome, RequestTraits } from '../routing/types.ts';

/** Idempotent methods that the router knows (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * How long a connection may have been idle that is used for a request which must not be sent twice, ms. Servers that do
 * not announce their idle timeout close after a second at the earliest: by then such a request goes by a new connection,
 * and cannot cross the close.
 */
export const UNSAFE_IDLE_MS = 500;

/** Connections in a row that the backend had closed, after which the failure counts as the backend's. */
export const STALE_LIMIT = 3;

/** How often a request that an HTTP/2 backend has refused is sent again, each time when a stream has ended or after a short time. */
export const REFUSED_LIMIT = 4;

/** A connection that the backend had closed fails after one round trip, on busy machines a little later, ms. */
const STALE_MS = 500;

/** Whether sending a request twice is the same as sending it once. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * Whether a request may be sent again after its reused connection has failed before a byte of a response came.
 * @param isUnsent the backend has certainly read nothing of it: the connection was closed before the first byte was
 *   written, no byte was taken from it, or the backend said so (RFC 9113 §8.7)
 */
export function mayResend(method: string, isUnsent: boolean): boolean {
  return isUnsent || IDEMPOTENT.has(method);
}

/**
 * The outcome of such a failure if the request may not be sent again. A failure at once may be the close of an idle
 * connection, which is no fault of the backend.
 * @param tookMs since the request began to be sent
 */
export function lossOnReused(tookMs: number): 'dropped' | 'broken' {
  return tookMs <= STALE_MS ? 'dropped' : 'broken';
}

/**
 * Whether this request may be tried on another backend.
 * @param retries so far
 * @param limit maximum number of retries
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
