/** Active checks: what a check is, when it is made, and what its result means. Pure. */

/** An inclusive range of statuses. */
export type StatusRange = readonly [from: number, to: number];

/** How the backends of a list are checked. */
export interface CheckRules {
  /** `tcp`: the connection is enough, with TLS where the backend has it. */
  readonly kind: 'http' | 'tcp' | 'grpc';
  readonly method: string;
  /** The request target, with a slash at its beginning. */
  readonly path: string;
  /** The Host field; null: the host of the list's key. */
  readonly host: string | null;
  /** The port that is checked; null: the backend's. */
  readonly port: number | null;
  /** The name of the gRPC service; "": the server as a whole. */
  readonly service: string;
  /** Statuses that pass. */
  readonly statuses: readonly StatusRange[];
  /** A text that the body must contain; "" for any body. */
  readonly body: string;
  readonly intervalMs: number;
  /** The limit of a whole check. */
  readonly timeoutMs: number;
  /** Good checks in a row after which a backend that was down is up. */
  readonly rise: number;
  /** Failed checks in a row after which it is down. */
  readonly fall: number;
  /** Whether a backend gets no traffic before its first good check. */
  readonly first: boolean;
}

/** What the checks of one backend have shown. `new`: no check has passed, and not yet enough have failed. */
export interface CheckState {
  readonly is: 'new' | 'up' | 'down';
  /** Results in a row that contradict `is`: failures while it is up or new, good checks while it is down. */
  readonly streak: number;
}

export const UNCHECKED: CheckState = Object.freeze({ is: 'new', streak: 0 });

/**
 * The state after a check.
 * @param isMarked a router's mark says that the backend is dead: it has to rise, whatever earlier checks have shown
 */
export function advance(
  { is, streak }: CheckState,
  hasPassed: boolean,
  isMarked: boolean,
  { rise, fall }: Pick<CheckRules, 'rise' | 'fall'>,
): CheckState {
  const isDown = is === 'down' || isMarked;
  const before = isDown && is !== 'down' ? 0 : streak;
  if (isDown) {
    if (!hasPassed) return { is: 'down', streak: 0 };
    return before + 1 >= rise ? { is: 'up', streak: 0 } : { is: 'down', streak: before + 1 };
  }
  if (hasPassed) return { is: 'up', streak: 0 };
  return before + 1 >= fall ? { is: 'down', streak: 0 } : { is, streak: before + 1 };
}

/**
 * What is done about a backend's marks after a check. `mark`: made, or kept from expiring. `renew`: kept from expiring, where
 * they still are. `clear`: routers' marks are removed.
 */
export type MarkAction = 'mark' | 'renew' | 'clear' | 'none';

/** A check that has passed makes no mark: one that is missing was removed by an operator or another checker. */
export function actionFor({ is }: CheckState, isMarked: boolean, hasPassed: boolean): MarkAction {
  if (is === 'down') return hasPassed ? 'renew' : 'mark';
  return is === 'up' && isMarked ? 'clear' : 'none';
}

/** Results are filed this long before the list is due again, ms: so the next check continues from them. */
const MARGIN_MS = 1_000;

/**
 * When a backend is checked after its list became due, ms: the backends of a list, and those of lists that share a
 * server, are spread over the part of the interval that leaves time for the check itself.
 */
export function offsetOf(key: string, url: string, { intervalMs, timeoutMs }: CheckRules): number {
  const room = intervalMs - timeoutMs - MARGIN_MS;
  return room <= 0 ? 0 : hashOf(`${key} ${url}`) % room;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** How long a check's mark lives, ms. */
export interface MarkLife {
  readonly ttlMs: number;
  /** A mark with less time left is renewed. Each renewal is a change that all routers read. */
  readonly renewMs: number;
}

const LEAST_TTL_MS = 30_000;

/** A mark outlasts a router's end: another one checks the backend within two intervals. */
export function markLife({ intervalMs, timeoutMs }: CheckRules): MarkLife {
  const renewMs = 2 * intervalMs + 2 * timeoutMs;
  return { ttlMs: Math.max(LEAST_TTL_MS, 2 * renewMs), renewMs };
}

/** Whether a response with this status passes. */
export function isGoodStatus(status: number, { statuses }: Pick<CheckRules, 'statuses'>): boolean {
  return statuses.some(([from, to]) => status >= from && status <= to);
}
