/** What is wrong with an active health checker's sign, and what hipache-hchecker cannot check. Only Redis has these. Pure. */
import { isDialled } from '../core/routing/backend.ts';
import { parseBackend } from '../core/routing/backend-url.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import type { CheckerSign, StoredValue } from '../store/editor/route-editor.ts';
import { isFresh } from '../store/redis/codec.ts';
import { shownUrl } from '../store/route-table.ts';
import type { Advice } from '../store/editor/advice.ts';
import { command } from '../store/editor/redis-advice.ts';
import { fault, type Fault } from './fault.ts';

/** A checker's clock may be ahead by so much, s. */
const MAX_AHEAD_SECONDS = 60;

/**
 * @param prefix that of the driver URL
 * @param nowMs milliseconds since the epoch
 */
export function faultsOfChecker({ type, ping }: CheckerSign, prefix: string, nowMs: number): readonly Fault[] {
  const removal = command('DEL', 'hchecker_ping');
  if (type === 'none') return [];
  if (type !== 'string') {
    return [fault('hchecker-type', `hchecker_ping holds a ${type}, not a string: the router sees no checker`, removal)];
  }
  if (ping === null) return [];
  if (!/^[0-9]{1,15}$/.test(ping)) {
    const text = `hchecker_ping holds ${JSON.stringify(ping.slice(0, 40))}, and not unix seconds: the router sees no checker`;
    return [fault('hchecker-value', text, removal)];
  }
  const aheadSeconds = Number(ping) - nowMs / 1000;
  if (aheadSeconds > MAX_AHEAD_SECONDS) {
    const text = `hchecker_ping is ahead by ${Math.round(aheadSeconds)} s (milliseconds?): the router treats the checker as alive, and marks no backend dead itself`;
    return [fault('hchecker-value', text, removal)];
  }
  if (prefix === '' || !isFresh(ping, nowMs)) return [];
  const text = `a health checker is alive, and hipache-hchecker reads no keys with the prefix ${JSON.stringify(prefix)}: ${NO_MARK}`;
  return [fault('checker-blind', text)];
}

const NO_MARK = 'no death is marked';

/**
 * Which backends of a list hipache-hchecker cannot check, while a checker is alive. One fault of a kind for a list.
 * @param key without `frontend:`
 */
export function faultsBesideChecker(key: string, { type, holds }: StoredValue, advice: Advice): readonly Fault[] {
  // It checks no sole backend.
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
    faults.push(fault('checker-deadly', `${namedOf(first, holds, deadly)}: a health checker is alive, and ${what}`));
  }
  if (second !== undefined) {
    const what = `hipache-hchecker checks only what is no more than http://host:port: ${NO_MARK}`;
    const bare = bareOf(holds[second + 1] ?? '', advice);
    const mends = bare === null ? '' : advice.setBackend(key, second, bare);
    faults.push(
      fault('checker-blind', `${namedOf(second, holds, blind)}: a health checker is alive, and ${what}`, mends),
    );
  }
  return faults;
}

/** Whether an entry is what hipache-hchecker makes of it: Go's `u.Scheme + "://" + u.Host`. */
function isOrigin(entry: string): boolean {
  return /^(?:https?|h2c?):\/\/(?:[^/?#@[\]\s]+|\[[^\]/\s]*\](?::[0-9]*)?)$/.test(entry);
}

/** The entry without what is not looked at anyway; null where it counts, or nothing is to be left out. */
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
