/** What is wrong with a dead set. Only Redis has these. Pure. */
import type { StoredFrontend } from '../store/editor/route-editor.ts';
import { idsOf } from '../store/redis/codec.ts';
import { urlsById } from '../store/redis/marks.ts';
import { shownUrl } from '../store/route-table.ts';
import { command } from '../store/editor/redis-advice.ts';
import { fault, type Fault } from './fault.ts';

/** What PlanB's monitor holds while it checks a backend is a string at `dead:<host>:<entry>`. No host has "://" in it. */
const MONITOR_LOCK = /:[a-z][a-z0-9+.-]*:\/\//i;
/** Members shown in one advice at most. */
const MAX_SHOWN = 20;

/**
 * @param host whose marks they are
 * @param list of the route that the host finds; null when it finds none
 */
export function faultsOfDead(
  host: string,
  { dead, marks }: Pick<StoredFrontend, 'dead' | 'marks'>,
  list: readonly string[] | null,
): readonly Fault[] {
  const { key, type, holds, secondsLeft } = dead;
  if (type === 'none' || (type === 'string' && MONITOR_LOCK.test(host))) return [];
  const removal = command('DEL', key);
  if (host.startsWith('*')) return [wildcardMarks(key)];
  if (type === 'unknown') return [fault('unreadable', `this user may not look at ${JSON.stringify(key)}`)];
  if (type !== 'set') {
    return [fault('dead-type', `it holds a ${type}, not a set: nobody is taken for dead, or can be marked`, removal)];
  }
  if (list === null) return [fault('dead-stale', 'marks of a host that has no frontend', removal)];
  const faults: Fault[] = [];
  const size = Math.max(0, list.length - 1);
  const outside = holds.filter((member) => idsOf([member], Infinity).size === 1 && idsOf([member], size).size === 0);
  const odd = holds.filter((member) => idsOf([member], Infinity).size === 0);
  if (odd.length > 0) {
    const text = `${shown(odd)}: a mark is a backend's place in the list, from 0; these hide nobody`;
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
  const marked = urlsById(marks);
  for (const id of idsOf(holds, size)) {
    const url = marked.get(id);
    const entry = list[id + 1]?.trim();
    if (url === undefined || entry === undefined || url === entry) continue;
    const text = `${id}: a router marked ${shownUrl(url)}, and ${shownUrl(entry)} is at that place now: the mark does not count`;
    faults.push(fault('dead-moved', text, command('SREM', key, String(id))));
  }
  if (size === 1 && idsOf(holds, size).size > 0) {
    faults.push(fault('dead-sole', 'the list has one backend, which is served whatever is marked', removal));
  }
  if (secondsLeft === null) {
    const text = 'the marks never expire: these backends get no request until somebody removes the key';
    faults.push(fault('dead-no-expiry', text, command('EXPIRE', key, '30')));
  }
  return faults;
}

/** Marks count for the host that was asked for, even where a wildcard matched. */
export function wildcardMarks(key: string): Fault {
  const text = `${JSON.stringify(key)} hides nobody: marks count under the host that clients ask for`;
  return fault('dead-wildcard', text, command('DEL', key));
}

/** What marks them where somebody has written URLs in the place of ids. */
function placesOf(key: string, odd: readonly string[], list: readonly string[]): readonly string[] {
  const ids = odd.map((member) => list.indexOf(member, 1) - 1).filter((id) => id >= 0);
  if (ids.length === 0) return [];
  // Without the odd ones there may be no key any more, and then its end is gone as well.
  return [command('SADD', key, ...ids.slice(0, MAX_SHOWN).map(String)), command('EXPIRE', key, '30')];
}

function shown(members: readonly string[]): string {
  const more = members.length > MAX_SHOWN ? `, and ${members.length - MAX_SHOWN} more` : '';
  return `${members
    .slice(0, MAX_SHOWN)
    .map((member) => JSON.stringify(member))
    .join(', ')}${more}`;
}
