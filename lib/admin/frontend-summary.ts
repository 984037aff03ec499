/** Frontends in one line each, their order, and their problems. Pure functions. */
import type { ActivityRates } from '../core/record/recent-activity.ts';
import type { BackendView, FrontendView } from '../diagnostics/explanation.ts';
import type { Fault } from '../diagnostics/fault.ts';
import type { FrontendState, FrontendSummary, Problem, SortKey, SummaryAnswer } from './answers.ts';

/** What is kept of a frontend that was read. */
export interface ReadFrontend {
  readonly key: string;
  readonly name: string;
  readonly backends: number;
  readonly dead: number;
  readonly onTrial: number;
  readonly unusable: number;
  /** How many there are. */
  readonly errors: number;
  /** The first. */
  readonly fault: Fault | null;
}

/** The rates of an identifier; null if it has no metrics of its own. */
export type RatesOf = (name: string) => ActivityRates | null;

const STATES: readonly FrontendState[] = ['down', 'failing', 'degraded', 'faulty', 'good'];

export function readFrontend({ key, name, backends, faults }: FrontendView): ReadFrontend {
  const inState = (wanted: BackendView['state']): number => backends.filter(({ state }) => state === wanted).length;
  const errors = faults.filter(({ severity }) => severity === 'error');
  return {
    key,
    name,
    backends: backends.length,
    dead: inState('dead'),
    onTrial: inState('on-trial'),
    unusable: inState('unusable'),
    errors: errors.length,
    fault: errors[0] ?? null,
  };
}

export function summaryOf(read: ReadFrontend, ratesOf: RatesOf): FrontendSummary {
  const { key, name, backends, dead, onTrial, unusable, errors } = read;
  const rates = ratesOf(name);
  const alive = backends - dead - onTrial - unusable;
  return {
    key,
    name,
    state: stateOf(read, alive, rates?.errorsPerSecond ?? 0),
    backends,
    alive,
    dead,
    onTrial,
    unusable,
    errors,
    requestsPerSecond: rates?.requestsPerSecond ?? null,
    errorsPerSecond: rates?.errorsPerSecond ?? null,
    p50: rates?.p50 ?? null,
    p99: rates?.p99 ?? null,
  };
}

function stateOf({ backends, onTrial, errors }: ReadFrontend, alive: number, errorsPerSecond: number): FrontendState {
  // Without a living backend, those on trial get the requests.
  if (alive + onTrial === 0) return 'down';
  if (errorsPerSecond > 0) return 'failing';
  if (alive < backends) return 'degraded';
  return errors > 0 ? 'faulty' : 'good';
}

/** Sorted by a column, then by key. Unknown values are last. */
export function sorted(summaries: readonly FrontendSummary[], by: SortKey): readonly FrontendSummary[] {
  const order = ORDERS[by];
  return summaries.toSorted((a, b) => order(a, b) || byKey(a, b));
}

function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

type Order = (a: FrontendSummary, b: FrontendSummary) => number;

const largestFirst =
  (of: (summary: FrontendSummary) => number | null): Order =>
  (a, b) =>
    (of(b) ?? -1) - (of(a) ?? -1);
const byTraffic = largestFirst(({ requestsPerSecond }) => requestsPerSecond);
const byErrors = largestFirst(({ errorsPerSecond }) => errorsPerSecond);
const byLatency = largestFirst(({ p99 }) => p99);

const ORDERS: Readonly<Record<SortKey, Order>> = {
  key: () => 0,
  traffic: byTraffic,
  errors: (a, b) => byErrors(a, b) || byTraffic(a, b),
  latency: (a, b) => byLatency(a, b) || byTraffic(a, b),
  state: (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || byErrors(a, b) || byTraffic(a, b),
};

/** Which frontends to show. `bad`: all that are not good. */
export type StateFilter = FrontendState | 'bad' | 'all';

export const STATE_FILTERS: readonly StateFilter[] = [...STATES, 'bad', 'all'];

/** @param match a part of the key or of the identifier; empty for any */
export function isShown({ key, name, state }: FrontendSummary, match: string, filter: StateFilter): boolean {
  const isState = filter === 'all' || state === filter || (filter === 'bad' && state !== 'good');
  return isState && (key.includes(match) || name.includes(match));
}

export function countsOf(summaries: readonly FrontendSummary[]): SummaryAnswer['counts'] {
  const inState = (wanted: FrontendState): number => summaries.filter(({ state }) => state === wanted).length;
  const sum = (of: (summary: FrontendSummary) => number): number =>
    summaries.reduce((all, summary) => all + of(summary), 0);
  return {
    frontends: summaries.length,
    down: inState('down'),
    failing: inState('failing'),
    degraded: inState('degraded'),
    faulty: inState('faulty'),
    backends: sum(({ backends }) => backends),
    dead: sum(({ dead }) => dead),
  };
}

/** The problems of frontends: those without a usable backend, those with errors, and those with faults. */
export function problemsOf(reads: readonly ReadFrontend[], summaries: readonly FrontendSummary[]): readonly Problem[] {
  const down = sorted(
    summaries.filter(({ state }) => state === 'down'),
    'key',
  );
  const failing = sorted(
    summaries.filter(({ errorsPerSecond }) => (errorsPerSecond ?? 0) > 0),
    'errors',
  );
  return [
    ...down.map((each) => problem('all-dead', each.key, downText(each))),
    ...failing.map((each) => problem('errors', each.key, errorsText(each))),
    // Not in the order in which the store returned them.
    ...reads.toSorted(byKey).flatMap(({ key, fault }) => {
      return fault === null ? [] : [problem('fault', key, `${fault.code}: ${fault.text}`, fault.advice)];
    }),
  ];
}

function problem(kind: Problem['kind'], frontend: string, text: string, advice = ''): Problem {
  return { kind, severity: 'error', frontend, text, advice };
}

function downText({ backends, dead, unusable }: FrontendSummary): string {
  if (backends === 0) return 'it has no backend';
  if (dead === 0) return `none of its ${backends} backends can be used`;
  const rest = unusable === 0 ? '' : `, and ${unusable} cannot be used`;
  return backends === 1 ? 'its backend is marked dead' : `${dead} of ${backends} backends are marked dead${rest}`;
}

function errorsText({ errorsPerSecond, requestsPerSecond, name }: FrontendSummary): string {
  const errors = errorsPerSecond ?? 0;
  const all = requestsPerSecond ?? 0;
  const share = all === 0 ? '' : `, ${((errors / all) * 100).toFixed(1)} % of all`;
  const rate = errors >= 10 ? errors.toFixed(0) : errors.toFixed(2);
  return `${rate} responses of 500 and above per second${share}, with the identifier ${JSON.stringify(name)}`;
}
