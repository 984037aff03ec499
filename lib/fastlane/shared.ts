import type { TimeLimits } from '../clock/time-limits.ts';
import type { ConnectionKeeper } from './connection-keeper.ts';
import type { HeadWriters } from './head-writer.ts';
import type { LaneParts } from './parts.ts';
import type { NextTurn } from './next-turn.ts';
import type { RelayPool } from '../backends/http1/relay-pool.ts';

/** What all connections of the lane have in common. */
export interface LaneShared {
  readonly parts: LaneParts;
  readonly pool: RelayPool;
  readonly clock: TimeLimits;
  readonly nextTurn: NextTurn;
  readonly keeper: ConnectionKeeper;
  readonly writers: HeadWriters;
  /** The lines that tell a client to keep its connection, the empty line included. */
  readonly keepLines: string;
  /** A Date line, for answers that lack one (RFC 9110 §6.6.1). */
  readonly dateLine: () => string;
}

/** Makes Date lines, one string a second. @param now epoch ms */
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
