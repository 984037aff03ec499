/** What active checks have shown of a list, read by plain commands. Pure functions. */
import { isTexts } from '../texts.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';
import type { Checked } from '../../core/health/checked.ts';

/** How many commands there are for one list. */
export const CHECK_SETS = 2;

/** The commands for one list; each may be refused. */
export function checkSetCommands(prefix: string, key: string): readonly RedisCommand[] {
  return [
    ['smembers', `${prefix}checked:${key}`],
    ['smembers', `${prefix}down:${key}`],
  ];
}

/** Parses their replies. @param isShared whether hosts of other names have the list: see `hasSharedList` */
export function checkedOf(list: readonly string[], [good, down]: readonly unknown[], isShared: boolean): Checked {
  return { unchecked: idsBy(list, good, false), down: isShared ? idsBy(list, down, true) : [] };
}

/** Ids of the backends that are in a set of URLs, or are not. None for a set that is empty, or cannot be read. */
function idsBy(list: readonly string[], reply: unknown, isMember: boolean): readonly number[] {
  if (!isTexts(reply) || reply.length === 0) return [];
  const urls = new Set(reply);
  const ids: number[] = [];
  for (let i = 1; i < list.length; i++) if (urls.has(list[i]?.trim() ?? '') === isMember) ids.push(i - 1);
  return ids;
}
