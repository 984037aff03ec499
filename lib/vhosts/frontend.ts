/** A frontend as an operator sees it: what it names, and who of them is dead. Pure. */
import { parseBackend } from '../core/backend-url.ts';
import type { BookEntry, Held, RouteBook } from '../store/book.ts';
import { NOBODY } from '../store/dead-marks.ts';
import { MAX_LIST } from '../store/limits.ts';
import { idsOf } from '../store/redis-codec.ts';
import { type Advice, FileAdvice, RedisAdvice } from './advice.ts';
import { faultsOfDead } from './dead-faults.ts';
import type { BackendView, FrontendView } from './explanation.ts';
import type { Fault } from './fault.ts';
import { readKey } from './key-faults.ts';
import { faultsOfList } from './list-faults.ts';

/** Advice in the words of a store. */
export function adviceFor({ kind, prefix, urls }: Pick<RouteBook, 'kind' | 'prefix' | 'urls'>): Advice {
  return kind === 'file' ? new FileAdvice(urls) : new RedisAdvice(prefix, urls);
}

/** What is wrong with a frontend: its list, and last, since mending it takes another name, its key. */
export function faultsOfFrontend(key: string, list: Held, advice: Advice): readonly Fault[] {
  return [...faultsOfList(key, list, advice), ...readKey(key, advice).faults];
}

/** What would be wrong with a list that is to be written. */
export function faultsOfNewList(key: string, list: readonly string[], advice: Advice): readonly Fault[] {
  return faultsOfFrontend(key, { key, type: 'list', holds: list, length: list.length, secondsLeft: null }, advice);
}

/** One of a page's frontends. Marks of hosts that a wildcard matches are under those hosts' names, and not seen here. */
export function frontendOf({ key, list, dead }: BookEntry, advice: Advice): FrontendView {
  const ownFaults = faultsOfFrontend(key, list, advice);
  return viewOf(key, list, dead, [...ownFaults, ...faultsOfDead(key, dead, list.holds)]);
}

/** A list with the state of its backends. @param faults what is to be said of it */
export function viewOf(key: string, list: Held, dead: Held, faults: readonly Fault[]): FrontendView {
  // The router takes none of a list that is too long.
  const [name = '', ...urls] = list.length > MAX_LIST ? [] : list.holds;
  // Marks under a wildcard's own name count for nobody.
  const isCounted = dead.type === 'set' && !/dead:\*[^:]*$/.test(dead.key);
  const ids = isCounted ? idsOf(dead.holds, urls.length) : NOBODY;
  const backends = urls.map((url, id): BackendView => {
    const parsed = parseBackend(url, id);
    if ('fault' in parsed) return { id, url, state: 'unusable', secondsLeft: null, fault: parsed.fault };
    const isDead = ids.has(id);
    return { id, url, state: isDead ? 'dead' : 'alive', secondsLeft: isDead ? dead.secondsLeft : null, fault: null };
  });
  return { key, name, backends, faults };
}
