/** The state of a deploy, and why it has failed, for operators. */
import type { Progress } from './progress.ts';

/** How many workers a message names. */
const MAX_NAMED = 5;

/** Where a deploy is. */
export type DeployPhase = 'checking' | 'joining' | 'draining' | 'leaving' | 'returning' | 'done' | 'failed';

/** The state of a deploy, for operators. */
export interface DeployStep {
  readonly phase: DeployPhase;
  readonly text: string;
  /** Requests in flight at the old backends, by URL, in all routers. */
  readonly inFlight: Readonly<Record<string, number>>;
  readonly routers: number;
  /** The routers that use the list that was written last. */
  readonly ready: number;
}

/** Why a deploy has failed, with a sentence for the operator that says what is in the list now. */
export class DeployFailure extends Error {
  override readonly name = 'DeployFailure';
  readonly code: 'no-frontend' | 'check-failed' | 'no-routers' | 'not-acknowledged' | 'rolled-back' | 'interrupted';

  constructor(code: DeployFailure['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** The first of the workers that a deploy waits for. */
export function named(missing: readonly string[]): string {
  const more = missing.length > MAX_NAMED ? `, and ${missing.length - MAX_NAMED} more` : '';
  return `${missing.slice(0, MAX_NAMED).join('; ')}${more}`;
}

/** The state of the fleet in one line. */
export function describe(phase: DeployPhase, { routers, ready, inFlight }: Progress): string {
  const used = `${ready} of ${routers} ${routers === 1 ? 'router uses' : 'routers use'}`;
  if (phase === 'returning') return `${used} the former list`;
  if (phase !== 'draining') return `${used} the ${phase === 'joining' ? 'list with the new backends' : 'new list'}`;
  const counts = [...inFlight].map(([url, count]) => `${url} has ${count} in flight`);
  return counts.length === 0 ? 'no backend leaves' : `draining: ${counts.join(', ')}`;
}

/** @param progress null where the fleet has not been looked at */
export function stepOf(phase: DeployPhase, text: string, progress: Progress | null): DeployStep {
  const { inFlight, routers = 0, ready = 0 } = progress ?? {};
  return { phase, text, inFlight: Object.fromEntries(inFlight ?? []), routers, ready };
}
