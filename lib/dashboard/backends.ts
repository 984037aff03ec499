/** Backends with their state, and what the workers know of them. */
import type {
  ActivityView,
  BackendActivity,
  BackendView,
  CheckView,
  FailureView,
  Fault,
  MemoryView,
} from '../admin/answers.ts';
import { adviceLines } from './copying.ts';
import { cards, column, make, type Part } from './elements.ts';
import { clock, count, duration, latency, plural, rate } from './words.ts';

const COLUMNS = [
  'Backend',
  'State',
  'Req/s',
  'Err/s',
  'p50',
  'p99',
  'In flight',
  'Connections',
  'Last check and failures',
];
/** How many columns precede those with numbers, and how many of these there are. */
const TEXTS = 2;
const NUMBERS = 6;

/** The backends of a frontend. @param checks what active checks have shown of them. @param receivedAt performance.now() of the response that they were in */
export function backendsTable(
  backends: readonly BackendView[],
  activity: ActivityView | null,
  checks: readonly CheckView[],
  receivedAt: number,
): readonly Part[] {
  if (backends.length === 0) return [make('p', { class: 'empty' }, 'None.')];
  const byId = new Map(activity?.backends.map((each) => [each.id, each]));
  const checkByUrl = new Map(checks.map((each) => [each.url, each]));
  const titles = COLUMNS.map((title, i) => column(title, { isNumber: i >= TEXTS && i < TEXTS + NUMBERS }));
  const rows = backends.map((backend) =>
    backendRow(backend, byId.get(backend.id) ?? null, checkByUrl.get(backend.url.trim()) ?? null, receivedAt),
  );
  const missing = activity === null ? 0 : activity.workers - activity.replied;
  return [
    cards('Backends, and what the workers know of them', titles, rows),
    missing > 0 && make('p', { class: 'doubtful' }, `Without ${plural(missing, 'worker')} that did not reply.`),
  ];
}

function backendRow(
  backend: BackendView,
  activity: BackendActivity | null,
  check: CheckView | null,
  receivedAt: number,
): HTMLTableRowElement {
  const { id, url, state } = backend;
  const numbers = [
    rate(activity?.requestsPerSecond ?? null),
    make('span', { class: activity?.errorsPerSecond ? 'bad' : null }, rate(activity?.errorsPerSecond ?? null)),
    latency(activity?.p50 ?? null),
    latency(activity?.p99 ?? null),
    count(activity?.inFlight ?? null),
    activity === null ? '–' : `${count(activity.open)}, ${count(activity.idle)} idle`,
  ];
  return make(
    'tr',
    { 'data-row': id, role: 'row', class: `backend-row ${state}` },
    make('th', { scope: 'row', role: 'rowheader' }, make('span', { class: 'name' }, url)),
    make('td', { role: 'cell', 'data-label': 'State' }, stateMark(backend, receivedAt)),
    ...numbers.map((cell, i) =>
      make('td', { role: 'cell', class: 'number', 'data-label': COLUMNS[TEXTS + i] ?? '' }, cell),
    ),
    make('td', { role: 'cell' }, checkPart(check), failuresPart(activity)),
  );
}

/** Marks alone are known: a backend that is not marked may not respond. */
function stateMark(backend: BackendView, receivedAt: number): HTMLElement {
  const { state, fault } = backend;
  const text = state === 'unusable' ? `unusable: ${fault ?? ''}` : markOf(backend, receivedAt);
  return make('span', { class: `mark state-${state}` }, text);
}

function markOf({ state, secondsLeft, markedBy, trialInSeconds }: BackendView, receivedAt: number): string {
  if (state === 'on-trial') return 'on trial, gets one request';
  if (state !== 'dead') return 'not marked dead';
  const by = markedBy === 'other' ? ', by a checker or operator' : '';
  if (secondsLeft === null) return `dead, without expiry${by}`;
  const left = secondsLeft - (performance.now() - receivedAt) / 1000;
  if (trialInSeconds !== null) return left > 0 ? `dead, trial in ${duration(Math.ceil(left))}` : 'dead, trial is due';
  return left > 0 ? `dead, ${duration(Math.ceil(left))} left${by}` : 'dead, expires now';
}

/** The last active check; nothing where there are none. */
function checkPart(check: CheckView | null): Part {
  if (check === null) return null;
  const { passed, detail, secondsAgo, waits } = check;
  const waiting = waits ? ', waits for its first good check' : '';
  if (passed === null) return make('p', { class: 'aside' }, `Not checked yet${waiting}`);
  const when = duration(Math.round(secondsAgo ?? 0));
  const text = `Check ${passed ? 'passed' : 'failed'} ${when} ago: ${detail ?? ''}${waiting}`;
  return make('p', { class: passed ? 'good' : 'bad' }, text);
}

function failuresPart(activity: BackendActivity | null): Part {
  if (activity === null) return '–';
  const [last, ...more] = activity.failures;
  if (last === undefined) return make('span', { class: 'aside' }, 'none');
  return make(
    'div',
    {},
    make('p', { class: 'failure' }, ...failureParts(last)),
    more.length > 0 &&
      make(
        'details',
        {},
        make('summary', {}, `${count(more.length)} more`),
        make('ul', {}, ...more.map((failure) => make('li', { class: 'failure' }, ...failureParts(failure)))),
      ),
  );
}

function failureParts({ time, type, reason, code }: FailureView): readonly Part[] {
  const what = code === null || reason.includes(code) ? type : `${type} ${code}`;
  return [make('time', { datetime: time, title: time }, clock(Date.parse(time))), ` ${what}: ${reason}`];
}

const REMEMBERED = { alive: 'not marked dead', dead: 'dead', 'on-trial': 'on trial' } as const;

/** A backend as a worker remembers it. */
export function rememberedBackend(url: string, id: number, { dead, onTrial }: MemoryView): HTMLElement {
  const state = onTrial.includes(id) ? 'on-trial' : dead.includes(id) ? 'dead' : 'alive';
  return make(
    'li',
    { 'data-row': id, class: `backend ${state}` },
    make('span', { class: 'name' }, url),
    ' ',
    make('span', { class: 'mark' }, REMEMBERED[state]),
  );
}

/** Faults with their advice; null when there is none. */
export function faultsList(faults: readonly Fault[]): HTMLElement | null {
  if (faults.length === 0) return null;
  return make(
    'ul',
    { class: 'faults' },
    ...faults.map(({ text, advice }) => make('li', {}, make('span', {}, text), adviceLines(advice))),
  );
}
