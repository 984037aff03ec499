/**
 * Finds problems of an active health checker's sign, and backends that hipache-hchecker cannot check. Only for Redis.
 * Pure functions.
 */
import { isDialled } from '../core/routing/backend.ts';
import { parseBackend } from '../core/routing/backend-url.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import type { CheckerSign, StoredValue } from '../store/editor/route-editor.ts';
import { isFresh } from '../store/redis/codec.ts';
import { shownUrl } from '../store/route-table.ts';
import type { Advice } from '../store/editor/advice.ts';
import { command } from '../store/editor/redis-advice.ts';
import { fault, type Fault } from './fault.ts';

/** How far ahead a checker's clock may be, s. */
const MAX_AHEAD_SECONDS = 60;

/** @param prefix of the driver URL @param nowMs ms since 1970 */
export function faultsOfChecker({ type, ping }: CheckerSign, prefix: string, nowMs: number): readonly Fault[] {
  const removal = command('DEL', 'hchecker_ping');
  if (type === 'none') return [];
  if (type !== 'string') {
    return [fault('hchecker-type', `hchecker_ping is a ${type}, not a string: the router sees no checker`, removal)];
  }
  if (ping === null) return [];
  if (!/^[0-9]{1,15}$/.test(ping)) {
    const text = `hchecker_ping is ${JSON.stringify(ping.slice(0, 40))}, not unix seconds: the router sees no checker`;
    return [fault('hchecker-value', text, removal)];
  }
  const aheadSeconds = Number(ping) - nowMs / 1000;
  if (aheadSeconds > MAX_AHEAD_SECONDS) {
    const text = `hchecker_ping is ahead by ${Math.round(aheadSeconds)} s (milliseconds?): the router takes the checker for running, and marks no backend dead itself`;
    return [fault('hchecker-value', text, removal)];
  }
  if (prefix === '' || !isFresh(ping, nowMs)) return [];
  const text = `a health checker is running, and hipache-hchecker reads no keys with the prefix ${JSON.stringify(prefix)}: ${NO_MARK}`;
  return [fault('checker-blind', text)];
}

const NO_MARK = 'no backend is marked dead';

/**
 * The backends of a list that hipache-hchecker cannot check, while a checker is running. One fault per kind and list.
 * @param key without `frontend:`
 */
export function faultsBesideChecker(key: string, { type, holds }: StoredValue, advice: Advice): readonly Fault[] {
  // hipache-hchecker does not check sole backends.
  if (type !== 'list' || holds.length < 3) return [];
  if (splitKey(key).host.startsWith('*')) {
    const text = `a health checker is alive, and hipache-hchecker looks for a list of the host asked for, not for a wildcard's: ${NO_MARK}`;
    return [fault('checker-blind', text)];
  }
  const deadly: number[] = [];
  const blind: number[] = [];
  for (let i = 1; i < holds.length; i++) {
    const entry = holds[i] ?? '';
    const parsed = parseBackend(entry, i - 1);
    if (!('backend' in parsed) || !isDialled(parsed.backend)) continue;
    if (!isOrigin(entry)) blind.push(i - 1);
    else if (entry.startsWith('h2')) deadly.push(i - 1);
  }
  const faults: Fault[] = [];
  const [first, second] = [deadly[0], blind[0]];
  if (first !== undefined) {
    const what = 'hipache-hchecker speaks HTTP/1.1 only: once the backend has died it is kept dead while it is checked';
    faults.push(fault('checker-deadly', `${namedOf(first, holds, deadly)}: a health checker is running, and ${what}`));
  }
  if (second !== undefined) {
    const what = `hipache-hchecker checks only entries of the form http://host:port: ${NO_MARK}`;
    const bare = bareOf(holds[second + 1] ?? '', advice);
    const mends = bare === null ? '' : advice.setBackend(key, second, bare);
    faults.push(
      fault('checker-blind', `${namedOf(second, holds, blind)}: a health checker is running, and ${what}`, mends),
    );
  }
  return faults;
}

/** Whether an entry is what hipache-hchecker makes of it: Go's `u.Scheme + "://" + u.Host`. */
function isOrigin(entry: string): boolean {
  return /^(?:https?|h2c?):\/\/(?:[^/?#@[\]\s]+|\[[^\]/\s]*\](?::[0-9]*)?)$/.test(entry);
}

/** The entry without parts that the router ignores anyway; null if there are none, or if they matter. */
function bareOf(entry: string, advice: Advice): string | null {
  const [, scheme = '', authority] = /^\s*([a-z0-9]+):\/\/(?:[^/?#]*@)?([^/?#\s]+)/i.exec(entry) ?? [];
  if (authority === undefined || authority.startsWith('[unix:')) return null;
  const bare = `${scheme.toLowerCase()}://${authority}`;
  const parsed = parseBackend(entry, 0);
  const hasPath = 'backend' in parsed && parsed.backend.path !== '';
  return (hasPath && advice.urls.backendPath) || !isOrigin(bare) ? null : bare;
}

function namedOf(id: number, holds: readonly string[], ids: readonly number[]): string {
  const more = ids.length > 1 ? ` (and ${ids.length - 1} more like it)` : '';
  return `backend ${id}, ${shownUrl(holds[id + 1] ?? '')}${more}`;
}
