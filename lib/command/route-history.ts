import { NO_SET, SET_HASHES } from '../store/editor/frontend-set.ts';
import { isAsLeft } from '../store/editor/past-sets.ts';
import type { LoggedChange, LoggedEntry } from '../store/editor/route-log.ts';
import { clean, paint } from './console.ts';
import { keyOf } from './route-key.ts';
import type { RouteRun } from './route-run.ts';
import { diffLines, fieldDiff } from './set-diff.ts';

/** Changes that are shown. */
const MAX_SHOWN = 20;

/** Prints the changes of a frontend, the newest first. */
export async function routeHistory({ editor, console, words, isJson, isForced }: RouteRun): Promise<number> {
  const key = keyOf(words[0] ?? '', isForced, editor);
  const [{ entries }, [set = NO_SET]] = await Promise.all([
    editor.log({ key, since: null, limit: MAX_SHOWN }),
    editor.sets([key]),
  ]);
  const last = entries[0]?.change;
  // By redis-cli, or an editor without the right to the log.
  const isUnlogged = last !== undefined && last !== null && !isAsLeft(set, last);
  if (isJson) {
    const changes = entries.map(({ at, ...entry }) => ({ time: new Date(at).toISOString(), ...entry }));
    await console.write(`${JSON.stringify({ key, isUnlogged, changes })}\n`);
    return 0;
  }
  const lines = isUnlogged ? [`${key} was changed later by other means, which are not logged`] : [];
  for (const entry of entries) {
    const head = `${new Date(entry.at).toISOString()}  ${entry.by}`;
    lines.push(paint(console, 'bold', clean(head)), ...linesOf(entry).map((line) => `  ${clean(line)}`));
  }
  if (entries.length === 0) lines.push(`no change of ${key} is logged`);
  await console.write(`${lines.join('\n')}\n`);
  return 0;
}

/** The difference that a change has made. */
function linesOf({ key, change }: LoggedEntry): readonly string[] {
  if (change === null) return ['a change that was too large to be logged'];
  const [before, after] = [setOf(change, 0), setOf(change, 1)];
  // Of a hash alone, the first line would say that the frontend was created.
  return change.list === undefined ? fieldDiff(before, after) : diffLines(key, before, after);
}

/** The changed parts alone, as a frontend. @param side 0 before, 1 after */
function setOf({ list, hashes }: LoggedChange, side: 0 | 1): typeof NO_SET {
  const fields = SET_HASHES.map((hash) => [hash, new Map(Object.entries(hashes?.[hash]?.[side] ?? {}))] as const);
  return { ...NO_SET, list: list?.[side] ?? null, hashes: { ...NO_SET.hashes, ...Object.fromEntries(fields) } };
}
