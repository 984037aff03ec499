/** Fetches the shown routes again after a change. */
import { attempt, isConnected } from './connection.ts';
import { refreshExplanation } from './explanation.ts';
import { refreshFrontends } from './frontends.ts';

/**
 * When to fetch after a change, ms. Twice: a death is logged before the store has its mark, and the store may be slow.
 */
const DELAYS_MS = [250, 1250];

const scheduled = new Set<number>();

/** Schedules the requests. Several changes within a short time share them. */
export function refreshRoutes(): void {
  for (const delayMs of DELAYS_MS) {
    if (scheduled.has(delayMs)) continue;
    scheduled.add(delayMs);
    setTimeout(() => {
      scheduled.delete(delayMs);
      if (!isConnected() || document.hidden) return;
      attempt(refreshFrontends);
      attempt(refreshExplanation);
    }, delayMs);
  }
}
