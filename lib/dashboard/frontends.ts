/** The table of frontends: one line each, sorted and filtered by the router. */
import type { FrontendState, FrontendSummary, SortKey, SummaryAnswer } from '../admin/answers.ts';
import { fetchSummary, reasonOf } from './api.ts';
import { attempt } from './connection.ts';
import { button, byId, cards, make, type Part, render, setFault, setText } from './elements.ts';
import { readSummary } from './problems.ts';
import { linkToKey } from './site-link.ts';
import { lastLive } from './traffic.ts';
import { count, latency, plural, rate } from './words.ts';

const PAGE_SIZE = 100;

type Filter = FrontendState | 'bad' | 'all';

interface Table {
  match: string;
  sort: SortKey;
  filter: Filter;
  /** How many frontends precede this page. */
  from: number;
  answer: SummaryAnswer | null;
  /** Why the last request failed. */
  fault: string | null;
  /** The number of the last request. */
  requested: number;
  /** The number of the request that `answer` is the response to. */
  shown: number;
}

const table: Table = {
  match: '',
  sort: 'state',
  filter: 'all',
  from: 0,
  answer: null,
  fault: null,
  requested: 0,
  shown: 0,
};

/** Fetches and shows the page again. Rejects when the router does not respond. */
export async function refreshFrontends(): Promise<void> {
  const number = ++table.requested;
  const { sort, filter, match, from } = table;
  try {
    const answer = await fetchSummary({ sort, state: filter, match, from, limit: PAGE_SIZE });
    // A later response came first.
    if (number < table.shown) return;
    table.shown = number;
    const unread = answer.problems.find(({ kind }) => kind === 'unread');
    readSummary(answer);
    table.fault = unread?.text ?? null;
    // What was read before stays while the store does not reply.
    if (unread === undefined) table.answer = answer;
  } catch (error) {
    table.fault = reasonOf(error);
    throw error;
  } finally {
    showFrontends();
  }
}

/** Shows the frontends with this in their keys or identifiers; all when it is empty. */
export function searchFrontends(match: string): void {
  if (match !== table.match) change({ match });
}

/** @param sort a SortKey */
export function sortFrontends(sort: string): void {
  const found = COLUMNS.find((each) => each.sort === sort)?.sort;
  if (found !== undefined) change({ sort: found });
}

/** @param filter a Filter */
export function filterFrontends(filter: string): void {
  const found = FILTERS.find(([each]) => each === filter)?.[0];
  if (found !== undefined) change({ filter: found });
}

export function nextPage(): void {
  if (table.from + PAGE_SIZE < (table.answer?.found ?? 0)) change({ from: table.from + PAGE_SIZE });
}

export function previousPage(): void {
  if (table.from > 0) change({ from: Math.max(0, table.from - PAGE_SIZE) });
}

function change(to: Partial<Pick<Table, 'match' | 'sort' | 'filter' | 'from'>>): void {
  Object.assign(table, { from: 0 }, to);
  attempt(refreshFrontends);
}

/** Shows the page that was fetched last. */
function showFrontends(): void {
  const { answer, fault, from } = table;
  setFault(byId('frontends-fault'), fault);
  if (answer === null) {
    if (fault !== null) render(byId('frontends-list'), make('p', { class: 'empty' }, 'Not known yet.'));
    return;
  }
  const { frontends, found, isComplete, counts } = answer;
  const partly = isComplete ? '' : ' that were read: there are more';
  setText(
    byId('frontends-counts'),
    `${plural(counts.frontends, 'frontend')}${partly}, ${plural(counts.backends, 'backend')}, ${count(counts.dead)} marked dead`,
  );
  render(byId('frontends-filters'), ...filterButtons(counts));
  render(byId('frontends-list'), frontends.length === 0 ? noFrontends(answer) : frontendsTable(frontends));
  byId('frontends-pages').hidden = found <= PAGE_SIZE;
  setText(byId('frontends-page'), `${count(from + 1)} to ${count(from + frontends.length)} of ${count(found)}`);
  byId('previous-page').toggleAttribute('disabled', from === 0);
  byId('next-page').toggleAttribute('disabled', from + PAGE_SIZE >= found);
}

const FILTERS: readonly (readonly [filter: Filter, label: string])[] = [
  ['all', 'All'],
  ['bad', 'Not good'],
  ['down', 'Down'],
  ['failing', 'Failing'],
  ['degraded', 'Degraded'],
  ['faulty', 'Faulty'],
];

function filterButtons(counts: SummaryAnswer['counts']): readonly HTMLElement[] {
  const { down, failing, degraded, faulty } = counts;
  const numbers: Readonly<Record<string, number>> = {
    all: counts.frontends,
    bad: down + failing + degraded + faulty,
    down,
    failing,
    degraded,
    faulty,
  };
  return FILTERS.map(([filter, label]) =>
    button('filter', `${label} ${count(numbers[filter] ?? 0)}`, {
      'data-filter': filter,
      'aria-pressed': String(filter === table.filter),
      class: 'filter',
    }),
  );
}

function noFrontends({ counts }: SummaryAnswer): HTMLElement {
  const { match, from } = table;
  if (from > 0) return make('p', { class: 'empty' }, 'Nothing more on this page.');
  if (match !== '') {
    return make(
      'div',
      { class: 'empty' },
      make('p', {}, `No key or identifier of a frontend has “${match}” in it.`),
      button('explain', 'Explain this host', { 'data-host': match }),
    );
  }
  if (counts.frontends > 0) return make('p', { class: 'empty' }, 'No frontend is in this state.');
  return make('div', { class: 'empty' }, ...howToAdd(lastLive()?.store.name ?? ''));
}

function howToAdd(store: string): readonly HTMLElement[] {
  if (store.startsWith('file:')) {
    return [
      make('p', {}, 'No frontend yet. Write one into the routes file:'),
      example('{ "www.example.com": ["mywebsite", "http://10.0.0.1:80"] }'),
    ];
  }
  // A driver URL has the prefix of all keys after "#".
  const prefix = store.includes('#') ? store.slice(store.indexOf('#') + 1) : '';
  return [
    make('p', {}, 'No frontend yet. This adds one, and the next request finds it:'),
    example(`redis-cli rpush ${prefix}frontend:www.example.com mywebsite http://10.0.0.1:80`),
  ];
}

function example(line: string): HTMLElement {
  return make('pre', { tabindex: 0 }, line);
}

/** A column of the table. `sort`: what its head sorts by; absent where it does not. */
interface Column {
  readonly title: string;
  readonly sort?: SortKey;
  /** Whether the order is from the largest value. */
  readonly isDescending?: boolean;
  readonly isNumber?: boolean;
  readonly part: (summary: FrontendSummary) => Part;
}

const MOODS: Readonly<Record<FrontendState, string>> = {
  down: 'bad',
  failing: 'bad',
  degraded: 'doubtful',
  faulty: 'doubtful',
  good: 'good',
};

const COLUMNS: readonly Column[] = [
  {
    title: 'Frontend',
    sort: 'key',
    part: ({ key }) => make('a', { class: 'name key-name', href: linkToKey(key), title: key }, key),
  },
  { title: 'Identifier', part: ({ name }) => make('span', { class: 'name aside', title: name }, name) },
  {
    title: 'State',
    sort: 'state',
    isDescending: true,
    part: ({ state }) => make('span', { class: `mark ${MOODS[state]}` }, state),
  },
  { title: 'Backends', part: (summary) => backendsText(summary) },
  {
    title: 'Req/s',
    sort: 'traffic',
    isDescending: true,
    isNumber: true,
    part: ({ requestsPerSecond }) => rate(requestsPerSecond),
  },
  {
    title: 'Err/s',
    sort: 'errors',
    isDescending: true,
    isNumber: true,
    part: ({ errorsPerSecond }) => make('span', { class: errorsPerSecond ? 'bad' : null }, rate(errorsPerSecond)),
  },
  { title: 'p50', isNumber: true, part: ({ p50 }) => latency(p50) },
  { title: 'p99', sort: 'latency', isDescending: true, isNumber: true, part: ({ p99 }) => latency(p99) },
];

function backendsText({ backends, dead, onTrial, unusable, errors }: FrontendSummary): string {
  return [
    count(backends),
    dead > 0 && `${count(dead)} dead`,
    onTrial > 0 && `${count(onTrial)} on trial`,
    unusable > 0 && `${count(unusable)} unusable`,
    errors > unusable && plural(errors, 'fault'),
  ]
    .filter(Boolean)
    .join(', ');
}

function frontendsTable(list: readonly FrontendSummary[]): HTMLElement {
  const titles = [...COLUMNS.map(columnHead), make('th', { scope: 'col', role: 'columnheader' }, 'Edit')];
  const made = cards('Frontends: state, backends, and traffic of the last minute', titles, list.map(frontendRow));
  made.classList.add('dense');
  return made;
}

function columnHead({ title, sort, isDescending, isNumber }: Column): HTMLTableCellElement {
  const isSorted = sort === table.sort;
  return make(
    'th',
    {
      scope: 'col',
      role: 'columnheader',
      class: isNumber ? 'number' : null,
      'aria-sort': isSorted ? (isDescending ? 'descending' : 'ascending') : null,
    },
    sort === undefined ? title : button('sort', title, { 'data-sort': sort, class: 'sort' }),
  );
}

function frontendRow(summary: FrontendSummary): HTMLTableRowElement {
  const { key } = summary;
  return make(
    'tr',
    { 'data-row': key, role: 'row' },
    ...COLUMNS.map(({ title, isNumber, part }, i) =>
      i === 0
        ? make('th', { scope: 'row', role: 'rowheader' }, part(summary))
        : make('td', { role: 'cell', class: isNumber ? 'number' : null, 'data-label': title }, part(summary)),
    ),
    make(
      'td',
      { role: 'cell', class: 'actions' },
      button('edit', 'Edit', { 'data-key': key, 'aria-label': `Edit ${key}` }),
    ),
  );
}
