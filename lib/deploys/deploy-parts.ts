/** What a deploy is asked for, and what it needs. */
import type { RouteEditor } from '../store/editor/route-editor.ts';
import type { Fleet } from '../store/fleet.ts';
import type { CheckBackends } from './check-backends.ts';
import type { DeployStep } from './deploy-step.ts';

/** What is deployed, and how. */
export interface DeployOptions {
  /** The frontend's key. */
  readonly key: string;
  /** The backends that the list shall have. */
  readonly urls: readonly string[];
  /** How long the workers may take to use a new list, ms. */
  readonly waitMs: number;
  /** How long the old backends may have requests and WebSockets, ms. */
  readonly drainMs: number;
  /** See `NewChecks.path`. */
  readonly checkPath: string | null;
  /** With a larger share of errors of the new backends, from 0 to 1, the former list comes back. Null: never. */
  readonly maxErrors: number | null;
}

/** The parts of a deploy. */
export interface DeployParts {
  readonly editor: Pick<RouteEditor, 'look' | 'sides' | 'change' | 'changeFields' | 'metadataKey'>;
  readonly fleet: Fleet;
  readonly check: CheckBackends;
  /** Called when something has changed. */
  readonly onStep: (step: DeployStep) => void;
  /** ms; only differences matter. */
  readonly now: () => number;
  /** Resolves after so many ms, or when the signal is aborted. Never rejects. */
  readonly pause: (ms: number) => Promise<void>;
  /** Ends the deploy where it is. */
  readonly signal: AbortSignal;
}
