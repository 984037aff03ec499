import type { TimeLimits } from '../clock/time-limits.ts';
import type { ConnectionKeeper } from './connection-keeper.ts';
import type { HeadWriters } from './head-writer.ts';
import type { LaneParts } from './parts.ts';
import type { NextTurn } from './next-turn.ts';
import type { RelayPool } from '../backends/http1/relay-pool.ts';

/** Shared by all connections of the lane. */
export interface LaneShared {
  readonly parts: LaneParts;
  readonly pool: RelayPool;
  readonly clock: TimeLimits;
  readonly nextTurn: NextTurn;
  readonly keeper: ConnectionKeeper;
  readonly writers: HeadWriters;
  /** The field lines that ask a client to keep its connection, and the empty line. */
  readonly keepLines: string;
  /** Returns a Date line, for responses without one (RFC 9110 §6.6.1). */
  readonly dateLine: () => string;
}

/** Caches the Date line for a second. @param now epoch ms */
export function dateLines(now: () => number): () => string {
  let second = -1;
  let line = '';
  return () => {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      line = `Date: ${new Date(current * 1000).toUTCString()}\r\n`;
    }
    return line;
  };
}
