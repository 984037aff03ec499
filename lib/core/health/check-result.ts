/** The last check of a backend, as it is kept in `check:<key>` under the backend's URL. */
import type { CheckState } from './check-rules.ts';

export interface CheckResult {
  readonly state: CheckState;
  readonly hasPassed: boolean;
  /** What the check saw: "200", "connect ECONNREFUSED 10.0.0.1:80". */
  readonly detail: string;
  /** When it ended, ms since 1970. */
  readonly at: number;
  readonly tookMs: number;
  /** The host name of the router that made it. */
  readonly router: string;
}

/** Of a detail, characters: there is one for each backend. */
const MAX_DETAIL = 200;
const STATES = new Set<unknown>(['new', 'up', 'down']);

export function writeResult({ state, hasPassed, detail, at, tookMs, router }: CheckResult): string {
  const { is, streak } = state;
  return JSON.stringify({
    state: is,
    streak,
    passed: hasPassed,
    detail: detail.slice(0, MAX_DETAIL),
    at,
    ms: Math.round(tookMs),
    router,
  });
}

/** Null for a text that no router has written. */
export function readResult(text: string): CheckResult | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { state: is, streak, passed: hasPassed, detail, at, ms: tookMs, router } = value as Record<string, unknown>;
  if (!isState(is) || typeof hasPassed !== 'boolean' || typeof detail !== 'string') return null;
  if (!isCount(streak) || !isCount(at) || !isCount(tookMs) || typeof router !== 'string') return null;
  return { state: { is, streak }, hasPassed, detail, at, tookMs, router };
}

function isState(value: unknown): value is CheckState['is'] {
  return STATES.has(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
