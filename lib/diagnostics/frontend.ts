/** A frontend for operators: its backends and their state. Pure functions. */
import { NO_MARKS, readList } from '../core/routing/backend.ts';
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

/** A list with the state of its backends. @param faults its problems */
export function viewOf({ key, list, dead, marks }: StoredFrontend, faults: readonly Fault[]): FrontendView {
  // The router uses nothing of a list that is too long.
  const [name = '', ...urls] = list.length > MAX_LIST ? [] : list.holds;
  // A sole backend is used even if it is marked dead.
  const isSole = urls.length === 1;
  const entries = readList(list.holds, () => {});
  const marked = dead.type === 'set' && !isSole ? countedMarks(dead.holds, marks, entries) : NO_MARKS;
  // Under a wildcard's own name only those of active checks have an effect.
  const counted = /dead:\*[^:]*$/.test(dead.key) ? { ...marked, dead: marked.deadByRouters } : marked;
  const backends = urls.map((url, id): BackendView => {
    const parsed = parseBackend(url, id);
    if ('fault' in parsed) {
      return { id, url, state: 'unusable', secondsLeft: null, markedBy: null, fault: parsed.fault };
    }
    if (!counted.dead.has(id)) return { id, url, state: 'alive', secondsLeft: null, markedBy: null, fault: null };
    const markedBy = counted.deadByRouters.has(id) ? 'router' : 'other';
    return { id, url, state: 'dead', secondsLeft: dead.secondsLeft, markedBy, fault: null };
  });
  return { key, name, backends, faults };
}
