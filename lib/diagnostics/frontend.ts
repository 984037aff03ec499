/** A frontend for operators: its backends and their state. Pure functions. */
import { withTrials } from '../core/health/trial.ts';
import { type Marks, NO_MARKS, readList, type RouteList } from '../core/routing/backend.ts';
import { parseBackend } from '../core/routing/backend-url.ts';
import type { StoredFrontend, StoredValue } from '../store/editor/route-editor.ts';
import { MAX_LIST } from '../store/limits.ts';
import { countedMarks } from '../store/redis/marks.ts';
import type { Advice } from '../store/editor/advice.ts';
import { faultsOfDead } from './dead-faults.ts';
import type { BackendView, FrontendView } from './explanation.ts';
import type { Fault } from './fault.ts';
import { readKey } from './key-faults.ts';
import { faultsOfList } from './list-faults.ts';

/** The problems of a frontend: those of its list, and last, since its fix renames the key, those of its key. */
export function faultsOfFrontend(key: string, list: StoredValue, advice: Advice): readonly Fault[] {
  return [...faultsOfList(key, list, advice), ...readKey(key, advice).faults];
}

/** The problems that a list would have, before it is written. */
export function faultsOfNewList(key: string, list: readonly string[], advice: Advice): readonly Fault[] {
  return faultsOfFrontend(key, { key, type: 'list', holds: list, length: list.length, secondsLeft: null }, advice);
}

/**
 * A frontend of a page. Marks of hosts that a wildcard matches are under those hosts' names, and not shown here, unless its
 * active checks have made them.
 */
export function frontendOf(entry: StoredFrontend, advice: Advice): FrontendView {
  const { key, list } = entry;
  return viewOf(entry, [...faultsOfFrontend(key, list, advice), ...faultsOfDead(key, entry, list.holds)]);
}

/** Which backends of a list are dead, and which of them are on trial. */
export function marksOf(
  { dead, marks, deaths }: Pick<StoredFrontend, 'dead' | 'marks' | 'deaths'>,
  list: RouteList,
): Marks {
  const counted = dead.type === 'set' ? countedMarks(dead.holds, marks, list) : NO_MARKS;
  return withTrials(counted, list, deaths, 0, 0).marks;
}

/** A list with the state of its backends. @param faults its problems */
export function viewOf({ key, list, dead, marks, deaths }: StoredFrontend, faults: readonly Fault[]): FrontendView {
  // The router uses nothing of a list that is too long.
  const [name = '', ...urls] = list.length > MAX_LIST ? [] : list.holds;
  // A sole backend is used even if it is marked dead.
  const isSole = urls.length === 1;
  const entries = readList(list.holds, () => {});
  const marked = isSole ? NO_MARKS : marksOf({ dead, marks, deaths }, entries);
  // Under a wildcard's own name only those of active checks have an effect.
  const counted = /dead:\*[^:]*$/.test(dead.key) ? { ...marked, dead: marked.deadByRouters } : marked;
  const backends = urls.map((url, id) => backendOf(url, id, counted, { dead, deaths }));
  return { key, name, backends, faults };
}

const UNMARKED = { secondsLeft: null, markedBy: null, trialInSeconds: null, fault: null } as const;

function backendOf(
  url: string,
  id: number,
  { dead: isDead, deadByRouters, onTrial }: Marks,
  { dead, deaths }: Pick<StoredFrontend, 'dead' | 'deaths'>,
): BackendView {
  const parsed = parseBackend(url, id);
  if ('fault' in parsed) return { ...UNMARKED, id, url, state: 'unusable', fault: parsed.fault };
  if (!isDead.has(id)) return { ...UNMARKED, id, url, state: 'alive' };
  const { secondsLeft } = dead;
  if (!deadByRouters.has(id)) return { ...UNMARKED, id, url, state: 'dead', secondsLeft, markedBy: 'other' };
  const markedBy = 'router';
  if (onTrial?.has(id)) return { ...UNMARKED, id, url, state: 'on-trial', markedBy, trialInSeconds: 0 };
  const record = deaths.get(parsed.backend.href);
  const trialInSeconds = record === undefined ? null : record.leftMs / 1000;
  return { ...UNMARKED, id, url, state: 'dead', secondsLeft: trialInSeconds ?? secondsLeft, markedBy, trialInSeconds };
}
