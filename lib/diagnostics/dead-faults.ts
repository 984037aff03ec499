/** Finds problems of a dead set. Only for Redis. Pure functions. */
import type { StoredFrontend } from '../store/editor/route-editor.ts';
import { idsOf } from '../store/redis/codec.ts';
import { urlsById } from '../store/redis/marks.ts';
import { shownUrl } from '../store/route-table.ts';
import { command } from '../store/editor/redis-advice.ts';
import { fault, type Fault } from './fault.ts';

/**
 * While PlanB's monitor checks a backend, it holds a lock: a string at `dead:<host>:<entry>`. No host has "://" in it.
 */
const MONITOR_LOCK = /:[a-z][a-z0-9+.-]*:\/\//i;
/** The maximum number of members in one advice. */
const MAX_SHOWN = 20;

/** @param host the host of the marks @param list of the host's route; null without one */
export function faultsOfDead(
  host: string,
  { dead, marks }: Pick<StoredFrontend, 'dead' | 'marks'>,
  list: readonly string[] | null,
): readonly Fault[] {
  const { key, type, holds, secondsLeft } = dead;
  if (type === 'none' || (type === 'string' && MONITOR_LOCK.test(host))) return [];
  const removal = command('DEL', key);
  const marked = urlsById(marks);
  if (host.startsWith('*'))
    return holds.every((id) => marked.has(Number(id))) && type === 'set' ? [] : [wildcardMarks(key)];
  if (type === 'unknown') return [fault('unreadable', `this user may not read ${JSON.stringify(key)}`)];
  if (type !== 'set') {
    return [fault('dead-type', `it is a ${type}, not a set: no backend counts as dead or can be marked dead`, removal)];
  }
  if (list === null) return [fault('dead-stale', 'dead marks of a host without a frontend', removal)];
  const faults: Fault[] = [];
  const size = Math.max(0, list.length - 1);
  const outside = holds.filter((member) => idsOf([member], Infinity).size === 1 && idsOf([member], size).size === 0);
  const odd = holds.filter((member) => idsOf([member], Infinity).size === 0);
  if (odd.length > 0) {
    const text = `${shown(odd)}: a mark must be a backend's position in the list, from 0; these have no effect`;
    faults.push(
      fault(
        'dead-no-number',
        text,
        [command('SREM', key, ...odd.slice(0, MAX_SHOWN)), ...placesOf(key, odd, list)].join('\n'),
      ),
    );
  }
  if (outside.length > 0) {
    const text = `${shown(outside)}: the list has ${size} backend${size === 1 ? '' : 's'}, and the first is 0`;
    faults.push(fault('dead-out-of-range', text, command('SREM', key, ...outside.slice(0, MAX_SHOWN))));
  }
  for (const id of idsOf(holds, size)) {
    const url = marked.get(id);
    const entry = list[id + 1]?.trim();
    if (url === undefined || entry === undefined || url === entry) continue;
    const text = `${id}: a router marked ${shownUrl(url)}, and ${shownUrl(entry)} is at that position now: the mark does not count`;
    faults.push(fault('dead-moved', text, command('SREM', key, String(id))));
  }
  if (size === 1 && idsOf(holds, size).size > 0) {
    faults.push(fault('dead-sole', 'the list has one backend, which is used even if it is marked dead', removal));
  }
  if (secondsLeft === null) {
    const text = 'the marks never expire: these backends get no request until the key is removed';
    faults.push(fault('dead-no-expiry', text, command('EXPIRE', key, '30')));
  }
  return faults;
}

/** Marks count for the requested host, even when a wildcard matched it. */
export function wildcardMarks(key: string): Fault {
  const text = `${JSON.stringify(key)} has no effect: marks count only under the requested host`;
  return fault('dead-wildcard', text, command('DEL', key));
}

/** Commands that mark the backends again, if URLs were written instead of ids. */
function placesOf(key: string, odd: readonly string[], list: readonly string[]): readonly string[] {
  const ids = odd.map((member) => list.indexOf(member, 1) - 1).filter((id) => id >= 0);
  if (ids.length === 0) return [];
  // Without the odd members the key may be gone, and its TTL with it.
  return [command('SADD', key, ...ids.slice(0, MAX_SHOWN).map(String)), command('EXPIRE', key, '30')];
}

function shown(members: readonly string[]): string {
  const more = members.length > MAX_SHOWN ? `, and ${members.length - MAX_SHOWN} more` : '';
  return `${members
    .slice(0, MAX_SHOWN)
    .map((member) => JSON.stringify(member))
    .join(', ')}${more}`;
}
