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
    case 'crowded':
    case 'unfit':
    case 'dropped':
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

/** This machine's own shortages: files, ports, memory. They say nothing of the other side. */
const OWN_SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** What it says of a backend that no connection to it could be made. */
export function notConnected(cause: Error & { readonly code?: string | undefined }): Outcome {
  return { type: OWN_SHORTAGES.has(cause.code ?? '') ? 'crowded' : 'unreachable', cause };
}

/** How an attempt ended, in words for an operator. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.type) {
    case 'answered':
      return `it answered ${outcome.status}`;
    case 'upgraded':
      return 'it changed to another protocol';
    case 'abandoned':
      return 'the client left';
    case 'unreachable':
    case 'crowded':
    case 'unfit':
    case 'broken':
    case 'dropped':
    case 'silent':
    case 'garbled':
      return outcome.cause.message || (outcome.cause as Error & { code?: string }).code || outcome.type;
  }
}
