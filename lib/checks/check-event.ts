import type { Backend } from '../core/routing/types.ts';
import type { CheckOutcome } from '../store/checks.ts';

/** What active checks report to the operator. */
export type CheckEvent =
  /** A backend is down: so many checks have failed, or it is marked dead by its check. */
  | {
      readonly type: 'check-failed';
      readonly key: string;
      readonly backend: Backend;
      readonly detail: string;
      readonly outcome: CheckOutcome;
    }
  /** A backend that was down is up again. */
  | {
      readonly type: 'check-passed';
      readonly key: string;
      readonly backend: Backend;
      readonly detail: string;
      readonly outcome: CheckOutcome;
    }
  /** The store refuses what checks need. Reported once for each cause. */
  | { readonly type: 'checks-off'; readonly cause: string }
  /** Another active health checker runs. */
  | { readonly type: 'checks-paused' }
  /** Checks go on, after one of these two. */
  | { readonly type: 'checks-resumed'; readonly lists: number };
