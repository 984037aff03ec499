/** What is wrong with what stands at a frontend's key. Pure. */
import { parseBackend } from '../core/routing/backend-url.ts';
import { isDialled, serverOf } from '../core/routing/backend.ts';
import type { StoredValue } from '../store/editor/route-editor.ts';
import { MAX_LIST } from '../store/limits.ts';
import { shownUrl } from '../store/route-table.ts';
import type { Advice } from '../store/editor/advice.ts';
import { fault, type Fault } from './fault.ts';
import { isUrlLike, readUrl, type UrlSlip } from './url-faults.ts';

/** Faults of one key at most: a list of 10,000 with the same slip in each needs one look. */
const MAX_FAULTS = 100;

/**
 * What is wrong, in the order in which it is to be mended.
 * @param key without `frontend:`
 */
export function faultsOfList(key: string, held: StoredValue, advice: Advice): readonly Fault[] {
  const { type, length } = held;
  if (type === 'none') return [];
  if (type === 'unknown') return [fault('unreadable', `this user may not look at ${JSON.stringify(held.key)}`)];
  if (type !== 'list') return [fault('wrong-type', `it holds a ${type}, not a list`, advice.makeList(key))];
  if (length > MAX_LIST) {
    const text = `a list of ${length} elements; the router takes ${MAX_LIST} at most, and none of a longer one`;
    return [fault('too-long', text, advice.shortenList(key))];
  }
  const displaced = faultOfPlaces(key, held.holds, advice);
  // Mending that moves all the others: what is said of them holds afterwards only.
  if (displaced !== null) return [displaced];
  const repeat = repeatIn(key, held.holds, advice);
  const faults = [
    ...(repeat?.faults ?? []),
    ...faultsOfIdentifier(key, held.holds, advice),
    ...faultsOfBackends(key, repeat?.once ?? held.holds, advice),
  ];
  if (held.secondsLeft !== null) {
    const text = `it expires in ${Math.ceil(held.secondsLeft)} s, and then the frontend is gone`;
    faults.push(fault('expires', text, advice.keepList(key)));
  }
  if (faults.length <= MAX_FAULTS) return faults;
  const more = `and ${faults.length - MAX_FAULTS} more`;
  return [...faults.slice(0, MAX_FAULTS), fault('more-faults', more)];
}

/** Whether somebody has put the identifier behind the backends: LPUSH where RPUSH was meant. */
function isTurnedAround(list: readonly string[]): boolean {
  return list.length > 1 && isUrlLike(list[0] ?? '') && !isUrlLike(list.at(-1) ?? '');
}

/** What is wrong when the first element is no identifier. */
function faultOfPlaces(key: string, list: readonly string[], advice: Advice): Fault | null {
  const [first = ''] = list;
  if (isTurnedAround(list)) {
    const text = `the identifier ${JSON.stringify(list.at(-1))} is the last element and must be the first (LPUSH puts before)`;
    return fault('identifier-last', text, advice.firstFromLast(key));
  }
  if (!isUrlLike(first)) return null;
  const text = `the first element is the identifier, and is ${shownUrl(first)}: no request goes there`;
  return fault('no-identifier', text, advice.addIdentifier(key));
}

/**
 * A list that RPUSH was given a second time, identifier and all: RPUSH adds to what is there.
 * @returns null when the identifier stands there once
 */
function repeatIn(
  key: string,
  list: readonly string[],
  advice: Advice,
): { readonly faults: readonly Fault[]; readonly once: readonly string[] } | null {
  const [first = ''] = list;
  const again = list.indexOf(first, 1);
  if (again < 0) return null;
  const name = JSON.stringify(first);
  const isWhole = list.length % again === 0 && list.every((each, i) => each === list[i % again]);
  if (isWhole && again > 1) {
    const text = `the identifier ${name} and the same backends stand there ${list.length / again} times: RPUSH adds to what is there`;
    return { faults: [fault('provisioned-twice', text, advice.keepFirst(key, again))], once: list.slice(0, again) };
  }
  const times = list.filter((each) => each === first).length - 1;
  const text = `the identifier ${name} stands among the backends: RPUSH adds to what is there`;
  const faults = [fault('provisioned-twice', text, advice.removeFromEnd(key, first, times))];
  return { faults, once: list.filter((each, i) => i === 0 || each !== first) };
}

function faultsOfIdentifier(key: string, list: readonly string[], advice: Advice): Fault[] {
  const [first = ''] = list;
  const faults: Fault[] = [];
  if (list.length === 1) {
    const text = `it holds the identifier ${JSON.stringify(first)} and no backend`;
    faults.push(fault('identifier-only', text, advice.addBackend(key)));
  }
  if (first !== first.trim()) {
    const text = `white space around the identifier ${JSON.stringify(first)}, in the access log too`;
    faults.push(fault('space-in-identifier', text, advice.setIdentifier(key, first.trim())));
  }
  return faults;
}

function faultsOfBackends(key: string, list: readonly string[], advice: Advice): readonly Fault[] {
  const faults: Fault[] = [];
  // Last of all: taking one out moves those behind it.
  const repeats: Fault[] = [];
  const servers = new Set<string>();
  let portless: { readonly id: number; readonly slip: UrlSlip; count: number } | null = null;
  for (let i = 1; i < list.length; i++) {
    const id = i - 1;
    const href = list[i] ?? '';
    for (const slip of readUrl(href, id, advice.urls).slips) {
      // Legal, and common: one word for all of them.
      if (slip.code !== 'no-port') faults.push(faultOfSlip(key, id, href, slip, advice));
      else if (portless === null) portless = { id, slip, count: 1 };
      else portless.count++;
    }
    const parsed = parseBackend(href, id);
    if (!('backend' in parsed)) continue;
    const server = isDialled(parsed.backend) ? serverOf(parsed.backend) : parsed.backend.href;
    if (servers.has(server)) {
      const text = `backend ${id}, ${shownUrl(href)}: the same server stands there twice, and gets twice as much`;
      repeats.push(fault('duplicate', text, advice.removeLast(key, id, href)));
    }
    servers.add(server);
  }
  if (portless !== null) {
    const { id, slip, count } = portless;
    const more = count > 1 ? ` (and ${count - 1} more like it)` : '';
    const shown = { ...slip, what: `${slip.what}${more}` };
    faults.push(faultOfSlip(key, id, list[id + 1] ?? '', shown, advice));
  }
  return [...faults, ...repeats];
}

function faultOfSlip(key: string, id: number, href: string, { code, what, meant }: UrlSlip, advice: Advice): Fault {
  const [first = ''] = meant;
  const mends = meant.length > 1 ? advice.splitBackend(key, id, meant) : advice.setBackend(key, id, first);
  return fault(code, `backend ${id}, ${shownUrl(href)}: ${what}`, mends);
}
