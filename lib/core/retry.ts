import type { Outcome, RequestTraits } from './types.ts';

/** Methods that may be sent twice without harm (RFC 9110 §9.2.2), as far as the router answers for it. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** A connection that the backend had closed fails after a way there and back, on busy machines a little later, ms. */
const STALE_MS = 500;

/**
 * May a request be sent again that failed, before a byte was heard, on a connection that had served others? Such a
 * connection was probably closed as the request was on its way. But what was heard after a while may have been done.
 * @param tookMs from the beginning of sending it on that connection
 */
export function mayResend(method: string, tookMs: number): boolean {
  return tookMs <= STALE_MS || IDEMPOTENT.has(method);
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
