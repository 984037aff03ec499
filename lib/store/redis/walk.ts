import type { RedisLink } from '../redis-client/link.ts';
import { isTexts } from '../texts.ts';
import { badCursor, decodeCursor, encodeCursor } from '../cursor.ts';
import { notUnderstood } from '../redis-client/protocol.ts';

/** How many keys a SCAN examines: about a millisecond of Redis' time. */
const MAX_COUNT = 1000;
const MIN_COUNT = 10;
/** Takes the place of SCAN's cursor when only remaining keys are left. */
const END = 'end';

/** The position of a walk over all keys. */
interface Place {
  /** Null: before the first. */
  readonly server: string | null;
  readonly scan: string;
  /** Keys that were found but did not fit on the last page. */
  readonly rest: readonly string[];
}

/** The result of a part of a walk. */
export interface Stretch {
  readonly keys: readonly string[];
  /** Null at the end. */
  readonly next: string | null;
}

/** The limits of a part. */
export interface StretchLimits {
  /** The number of keys found. */
  readonly found: number;
  /** When the part ends, however little was found; `performance.now()` ms. */
  readonly until: number;
}

/**
 * Walks over the keys that match a pattern, with SCAN. A key that exists all the time is found, maybe twice. Each step
 * blocks Redis only briefly. In a cluster it goes from master to master.
 */
export async function walk(
  link: RedisLink,
  pattern: string,
  cursor: string | null,
  { found, until }: StretchLimits,
): Promise<Stretch> {
  const servers = await link.servers(link.deadline());
  const start = placeOf(cursor);
  let place: Place | null = start.scan === END ? null : start;
  const keys = new Set(start.rest);
  let count = Math.min(MAX_COUNT, Math.max(MIN_COUNT, found));
  while (place !== null && keys.size < found) {
    const server: string | undefined = place.server ?? servers[0];
    if (server === undefined) break;
    const command = ['scan', place.scan, 'match', pattern, 'count', String(count)] as const;
    const [scan, batch] = batchOf(await link.sendAt(server, command, link.deadline()));
    for (const key of batch) keys.add(key);
    place = scan === '0' ? after(servers, server) : { server, scan, rest: [] };
    // Larger steps where matches are rare; else no more than fit on the page.
    const isRare = batch.length < count / 10;
    count = isRare ? Math.min(MAX_COUNT, count * 2) : Math.min(count, Math.max(MIN_COUNT, found - keys.size));
    if (performance.now() >= until) break;
  }
  return pageOf([...keys], found, place);
}

function pageOf(keys: readonly string[], found: number, place: Place | null): Stretch {
  const rest = keys.slice(found);
  if (place === null && rest.length === 0) return { keys, next: null };
  const { server, scan } = place ?? { server: null, scan: END };
  return { keys: keys.slice(0, found), next: encodeCursor([server, scan, rest]) };
}

function placeOf(cursor: string | null): Place {
  if (cursor === null) return { server: null, scan: '0', rest: [] };
  const [server, scan, rest] = decodeCursor(cursor);
  if ((server !== null && typeof server !== 'string') || typeof scan !== 'string' || !isTexts(rest)) throw badCursor();
  if (!/^(?:[0-9]{1,20}|end)$/.test(scan)) throw badCursor();
  return { server, scan, rest };
}

/** The start of the next server; null when there is none. */
function after(servers: readonly string[], server: string): Place | null {
  const next = servers[servers.indexOf(server) + 1];
  return next === undefined ? null : { server: next, scan: '0', rest: [] };
}

function batchOf(reply: unknown): readonly [scan: string, keys: readonly string[]] {
  if (!Array.isArray(reply)) throw notUnderstood(reply);
  const [scan, keys]: unknown[] = reply;
  if (typeof scan !== 'string' || !isTexts(keys)) throw notUnderstood(reply);
  return [scan, keys];
}

/** A text with SCAN's pattern characters escaped. */
export function literally(text: string): string {
  return text.replaceAll(/[*?[\]\\^]/g, '\\$&');
}

/** The same, in any case. */
export function inAnyCase(text: string): string {
  return text.replaceAll(/[a-z]|[*?[\]\\^]/gi, (sign) =>
    /[a-z]/i.test(sign) ? `[${sign.toLowerCase()}${sign.toUpperCase()}]` : `\\${sign}`,
  );
}
