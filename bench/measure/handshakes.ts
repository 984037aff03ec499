/** New TLS connections, each for one request: with a whole handshake, or with a session that is resumed. */
import { childCounts } from './child-counts.ts';
import type { Measure } from './measure.ts';

const CLIENTS = 64;
/** Of those that could: the first connection of each client has nothing to resume, and a server may forget some. */
const RESUMED_SHARE = 0.95;

export type Handshake = 'new' | 'resumed';

export function handshakes(kind: Handshake): Measure {
  return childCounts({
    child: 'handshakes',
    argsFor: (seconds) => [CLIENTS, seconds, kind],
    warmSeconds: 6,
    read: (said) => {
      const { made, resumed, micros } = parseHandshakes(said);
      const isAsAsked = kind === 'new' ? resumed === 0 : resumed >= (made - CLIENTS) * RESUMED_SHARE;
      if (!isAsAsked) throw new Error(`${resumed} of ${made} connections resumed a session`);
      return { count: made, micros };
    },
  });
}

/** Reads what the child prints at the end. @throws when it made no connection */
export function parseHandshakes(said: string): { made: number; resumed: number; micros: number } {
  const match = /^figures made=([0-9]+) resumed=([0-9]+) micros=([0-9]+)$/m.exec(said);
  const [made = 0, resumed = 0, micros = 0] = match?.slice(1).map(Number) ?? [];
  if (made === 0) throw new Error(`no connection was made: ${said}`);
  return { made, resumed, micros };
}
