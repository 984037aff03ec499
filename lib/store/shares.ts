/** How the workers of all routers share limits that hold for all of them together: see core/limits/demand.ts. */

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

/** Divides limits among all workers. */
export interface ShareSource {
  /**
   * Says what this worker is asked for, and gets its share of each. A worker that says nothing for a second has none.
   * Rejects when the store does not reply, or refuses.
   */
  exchange(demands: readonly ShareDemand[]): Promise<readonly Share[]>;
}
