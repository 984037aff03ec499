/** How the workers of all routers share limits that hold for all of them together: see core/limits/demand.ts and permits.ts. */
import { createHash } from 'node:crypto';
import type { PermitShare } from '../core/limits/permits.ts';

/** What a worker was asked for under one limit. */
export interface ShareDemand {
  /** Identifies the limit. */
  readonly key: string;
  /** Requests a turn. */
  readonly asked: number;
}

/** A worker's part in one limit. */
export interface Share {
  /** From 0 to 1. */
  readonly share: number;
  /** How many workers have a part in it. */
  readonly sharers: number;
}

/** What a worker does under one limit of requests in flight. */
export interface PermitNeed {
  /** Identifies the limit. */
  readonly key: string;
  /** How many permits there are for all workers. */
  readonly limit: number;
  /** How many it would use now. */
  readonly wanted: number;
  /** How many it uses now. */
  readonly used: number;
}

/** Divides limits among all workers. A worker that says nothing of a limit for a second has no part in it any more. */
export interface ShareSource {
  /** Says what this worker is asked for, and gets its share of each. Rejects when the store does not reply, or refuses. */
  exchange(demands: readonly ShareDemand[]): Promise<readonly Share[]>;
  /** Says what this worker needs, and gets its permits under each limit. Rejects when the store does not reply, or refuses. */
  lease(needs: readonly PermitNeed[]): Promise<readonly PermitShare[]>;
}

/** Identifies a limit in a store: of one length, and without values of clients, which may be secrets. */
export function limitKey(name: string): string {
  return createHash('sha256').update(name).digest('base64url').slice(0, 22);
}
