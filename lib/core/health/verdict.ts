import type { DeadOn5xx } from '../routing/site.ts';
import type { Backend, Outcome, Route } from '../routing/types.ts';

/** What a verdict depends on besides the outcome. */
export interface Circumstances {
  /** Whether 500 counts too, not just 501 and above. */
  readonly on500: boolean;
  /** Whether the same request has already brought a death by an outcome for which the request itself may be the reason. */
  readonly hasBlamed: boolean;
  /** What the site says about responses that are failures. */
  readonly deadOn5xx: DeadOn5xx;
  /** Whether the latest responses agree (agreement.ts). Used with `agreed` only. */
  readonly isAgreed: boolean;
}

/** An attempt to be judged, and its circumstances. */
export interface Judged {
  readonly found: Route;
  readonly backend: Backend;
  readonly outcome: Outcome;
  /** When the attempt began, ms; only differences count. */
  readonly begunAt: number;
  /** As in `Circumstances`. */
  readonly hasBlamed: boolean;
  /** The address of the client, as in logs. */
  readonly client: string;
}

/** Whether this outcome marks the backend dead. */
export function isDeadly(outcome: Outcome, circumstances: Circumstances): boolean {
  const { on500, hasBlamed } = circumstances;
  switch (outcome.type) {
    case 'unreachable':
      return true;
    case 'broken':
      return !hasBlamed;
    case 'silent':
      // One slow response does not make a backend dead.
      return !hasBlamed && !outcome.hasRespondedToOthers;
    case 'crowded':
    case 'unfit':
    case 'dropped':
    case 'garbled':
    case 'upgraded':
    case 'abandoned':
      return false;
    case 'answered':
      return isFailedResponse(outcome, on500) && isEnough(circumstances);
  }
}

/** Whether an outcome is a response that shows a failure, if the site lets responses show that. @param on500 whether 500 does */
export function isFailedResponse(outcome: Outcome, on500: boolean): boolean {
  if (outcome.type !== 'answered') return false;
  const { status, retryAfter } = outcome;
  // 503 with Retry-After is announced maintenance, not a failure.
  if (status === 503 && retryAfter) return false;
  return status >= (on500 ? 500 : 501) && status <= 599;
}

function isEnough({ deadOn5xx, isAgreed }: Circumstances): boolean {
  switch (deadOn5xx) {
    case 'first':
      return true;
    case 'agreed':
      return isAgreed;
    case 'never':
      return false;
  }
}

/**
 * Whether the request may be the reason for this outcome: the backend had its head. A request that makes backends close
 * must not have each of them marked dead, retry by retry; it takes a second request to say the same of a second backend.
 */
export function mayBeOwnFault({ type }: Outcome): boolean {
  return type === 'broken' || type === 'silent';
}

/**
 * Whether an attempt failed for a reason that may be the backend's. Without responses: `isDeadly` says which of those are
 * failures. Nor is a lack of connections one: it is a limit of this router, or a shortage of this machine.
 */
export function isFailure(outcome: Outcome): boolean {
  switch (outcome.type) {
    case 'unreachable':
    case 'broken':
    case 'dropped':
    case 'silent':
    case 'garbled':
      return true;
    case 'answered':
    case 'upgraded':
    case 'crowded':
    case 'unfit':
    case 'abandoned':
      return false;
  }
}

/** Whether the backend has responded. */
export function hasResponded({ type }: Outcome): boolean {
  return type === 'answered' || type === 'upgraded';
}

/** Shortages of this machine: files, ports, memory. They show nothing about the backend. */
const OWN_SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** Whether there was no descriptor left, in this process or in the system: closing others helps. */
export function isOutOfDescriptors({ code }: Error & { readonly code?: string | undefined }): boolean {
  return code === 'EMFILE' || code === 'ENFILE';
}

/** The outcome of a failure to connect. */
export function notConnected(cause: Error & { readonly code?: string | undefined }): Outcome {
  return { type: OWN_SHORTAGES.has(cause.code ?? '') ? 'crowded' : 'unreachable', cause };
}

/** Describes an outcome for operators. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.type) {
    case 'answered':
      return `it responded with status ${outcome.status}`;
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
