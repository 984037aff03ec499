/** Finds problems in the content of a frontend's key. Pure functions. */
import { parseBackend } from '../core/routing/backend-url.ts';
import { isDialled, serverOf } from '../core/routing/backend.ts';
import type { StoredValue } from '../store/editor/route-editor.ts';
import { MAX_LIST } from '../store/limits.ts';
import { shownUrl } from '../store/route-table.ts';
import type { Advice } from '../store/editor/advice.ts';
import { fault, type Fault } from './fault.ts';
import { isUrlLike, readUrl, type UrlSlip } from './url-faults.ts';

/** The maximum number of faults per key: in a list of 10,000, one mistake may be in each element. */
const MAX_FAULTS = 100;

/** The problems, in the order in which to fix them. @param key without `frontend:` */
export function faultsOfList(key: string, held: StoredValue, advice: Advice): readonly Fault[] {
  const { type, length } = held;
  if (type === 'none') return [];
  if (type === 'unknown') return [fault('unreadable', `this user may not read ${JSON.stringify(held.key)}`)];
  if (type !== 'list') return [fault('wrong-type', `it is a ${type}, not a list`, advice.makeList(key))];
  if (length > MAX_LIST) {
    const text = `a list of ${length} elements; the router accepts at most ${MAX_LIST}, and ignores a longer list`;
    return [fault('too-long', text, advice.shortenList(key))];
  }
  const displaced = faultOfPlaces(key, held.holds, advice);
  // This fix moves all other elements, so other problems can only be found after it.
  if (displaced !== null) return [displaced];
  const repeat = repeatIn(key, held.holds, advice);
  const faults = [
    ...(repeat?.faults ?? []),
    ...faultsOfIdentifier(key, held.holds, advice),
    ...faultsOfBackends(key, repeat?.once ?? held.holds, advice),
  ];
  if (held.secondsLeft !== null) {
    const text = `it expires in ${Math.ceil(held.secondsLeft)} s, and then the frontend is removed`;
    faults.push(fault('expires', text, advice.keepList(key)));
  }
  if (faults.length <= MAX_FAULTS) return faults;
  const more = `and ${faults.length - MAX_FAULTS} more`;
  return [...faults.slice(0, MAX_FAULTS), fault('more-faults', more)];
}

/** Whether the identifier is after the backends: LPUSH was used instead of RPUSH. */
function isTurnedAround(list: readonly string[]): boolean {
  return list.length > 1 && isUrlLike(list[0] ?? '') && !isUrlLike(list.at(-1) ?? '');
}

/** The problem when the first element is no identifier. */
function faultOfPlaces(key: string, list: readonly string[], advice: Advice): Fault | null {
  const [first = ''] = list;
  if (isTurnedAround(list)) {
    const text = `the identifier ${JSON.stringify(list.at(-1))} is the last element and must be the first (LPUSH adds in front)`;
    return fault('identifier-last', text, advice.firstFromLast(key));
  }
  if (!isUrlLike(first)) return null;
  const text = `the first element is the identifier, and is ${shownUrl(first)}: no request goes there`;
  return fault('no-identifier', text, advice.addIdentifier(key));
}

/**
 * A list that was pushed twice, with its identifier: RPUSH adds to existing elements.
 * @returns null when the identifier occurs once
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
    const text = `the identifier ${name} and the same backends are in the list ${list.length / again} times: RPUSH adds to existing elements`;
    return { faults: [fault('provisioned-twice', text, advice.keepFirst(key, again))], once: list.slice(0, again) };
  }
  const times = list.filter((each) => each === first).length - 1;
  const text = `the identifier ${name} is among the backends: RPUSH adds to existing elements`;
  const faults = [fault('provisioned-twice', text, advice.removeFromEnd(key, first, times))];
  return { faults, once: list.filter((each, i) => i === 0 || each !== first) };
}

function faultsOfIdentifier(key: string, list: readonly string[], advice: Advice): Fault[] {
  const [first = ''] = list;
  const faults: Fault[] = [];
  if (list.length === 1) {
    const text = `it has the identifier ${JSON.stringify(first)} and no backend`;
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
  // Last: removing an element moves those after it.
  const repeats: Fault[] = [];
  const servers = new Set<string>();
  let portless: { readonly id: number; readonly slip: UrlSlip; count: number } | null = null;
  for (let i = 1; i < list.length; i++) {
    const id = i - 1;
    const href = list[i] ?? '';
    for (const slip of readUrl(href, id, advice.urls).slips) {
      // Valid and common: one note for all of them.
      if (slip.code !== 'no-port') faults.push(faultOfSlip(key, id, href, slip, advice));
      else if (portless === null) portless = { id, slip, count: 1 };
      else portless.count++;
    }
    const parsed = parseBackend(href, id);
    if (!('backend' in parsed)) continue;
    const server = isDialled(parsed.backend) ? serverOf(parsed.backend) : parsed.backend.href;
    if (servers.has(server)) {
      const text = `backend ${id}, ${shownUrl(href)}: the same server is in the list twice, and gets twice as many requests`;
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
