import type { Outcome } from './types.ts';

/**
 * Does this outcome say that the backend is dead?
 * @param on500 count 500 too, not just 501 and above
 */
export function isDeadly(outcome: Outcome, on500: boolean): boolean {
  switch (outcome.type) {
    case 'unreachable':
    case 'broken':
    case 'silent':
      return true;
    case 'garbled':
    case 'upgraded':
    case 'abandoned':
      return false;
    case 'answered': {
      const { status, retryAfter } = outcome;
      // 503 with Retry-After is maintenance that was announced: the backend is well.
      if (status === 503 && retryAfter) return false;
      return status >= (on500 ? 500 : 501) && status <= 599;
    }
  }
}
