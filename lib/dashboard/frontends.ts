/** The table of frontends: a page at a time, searched by the router. */
import type { BackendView, Fault, FrontendsAnswer, FrontendView } from '../admin/answers.ts';
import { fetchFrontends, reasonOf } from './api.ts';
import { attempt } from './connection.ts';
import { button, byId, cards, column, make, render, setFault, setText } from './elements.ts';
import { lastLive } from './traffic.ts';
import { count, duration } from './words.ts';

const PAGE_SIZE = 20;
/** How many backends of a frontend are shown at first. */
const FEW_BACKENDS = 6;
/** A router that searches while it reads may respond with empty pages; up to so many are skipped at once. */
const MAX_EMPTY_PAGES = 20;

interface Table {
  match: string;
  /** Where this page and those before it begin. */
  cursors: (string | null)[];
  page: FrontendsAnswer | null;
  /** performance.now() of that page. */
  receivedAt: number;
  /** Why the last request failed. */
  fault: string | null;
  /** Keys of the frontends with all their backends shown. */
  readonly expanded: Set<string>;
  /** The number of the last request. */
  requested: number;
  /** The number of the request that `page` is the response to. */
  shown: number;
}

const table: Table = {
  match: '',
  cursors: [null],
  page: null,
  receivedAt: 0,
  fault: null,
  expanded: new Set(),
  requested: 0,
  shown: 0,
};

/** Fetches and shows the page again. Rejects when the router does not respond. */
export async function refreshFrontends(): Promise<void> {
  const number = ++table.requested;
  const { match, cursors } = table;
  let cursor = cursors.at(-1) ?? null;
  try {
    let page = await fetchFrontends(PAGE_SIZE, cursor, match);
    for (let i = 0; i < MAX_EMPTY_PAGES && page.frontends.length === 0 && page.next !== null; i++) {
      cursor = page.next;
      page = await fetchFrontends(PAGE_SIZE, cursor, match);
    }
    // Another page or search was requested meanwhile, or a later response came first.
    if (cursors !== table.cursors || number < table.shown) return;
    table.shown = number;
    cursors[cursors.length - 1] = cursor;
    table.page = page;
    table.receivedAt = performance.now();
    table.fault = null;
  } catch (error) {
    table.fault = reasonOf(error);
    throw error;
  } finally {
    showFrontends();
  }
}

/** Shows the frontends with this in their keys; all when it is empty. */
export function searchFrontends(match: string): void {
  if (match === table.match) return;
  table.match = match;
  goTo([null]);
}

export function nextPage(): void {
  const next = table.page?.next ?? null;
  if (next !== null) goTo([...table.cursors, next]);
}

export function previousPage(): void {
  if (table.cursors.length > 1) goTo(table.cursors.slice(0, -1));
}

function goTo(cursors: (string | null)[]): void {
  table.cursors = cursors;
  attempt(refreshFrontends);
}

/** Shows all backends of a frontend, or the first few. */
export function expandBackends(key: string, isExpanded: boolean): void {
  if (isExpanded) table.expanded.add(key);
  else table.expanded.delete(key);
  showFrontends();
}

/** Shows the page that was fetched last, with the time that dead backends have left now. */
export function showFrontends(): void {
  const { page, cursors, fault } = table;
  setFault(byId('frontends-fault'), fault);
  if (page === null) return;
  const isFirst = cursors.length === 1;
  const isOnly = isFirst && page.next === null;
  render(byId('frontends-list'), page.frontends.length === 0 ? noFrontends() : frontendsTable(page.frontends));
  byId('frontends-pages').hidden = isOnly;
  setText(byId('frontends-page'), `Page ${cursors.length}`);
  byId('previous-page').toggleAttribute('disabled', isFirst);
  byId('next-page').toggleAttribute('disabled', page.next === null);
}

function noFrontends(): HTMLElement {
  const { match, cursors } = table;
  if (cursors.length > 1) return make('p', { class: 'empty' }, 'Nothing more on this page.');
  if (match !== '') {
    return make(
      'div',
      { class: 'empty' },
      make('p', {}, `No key of a frontend has “${match}” in it.`),
      button('explain', 'Explain this host', { 'data-host': match }),
    );
  }
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

function frontendsTable(list: readonly FrontendView[]): HTMLElement {
  const titles = ['Frontend', 'Backends', 'Actions'].map((title) => column(title));
  return cards('Frontends and their backends', titles, list.map(frontendRow));
}

function frontendRow({ key, name, backends, faults }: FrontendView): HTMLTableRowElement {
  const isExpanded = table.expanded.has(key);
  // Those that are not alive first: operators look for them.
  const sorted = backends.toSorted((a, b) => Number(a.state === 'alive') - Number(b.state === 'alive') || a.id - b.id);
  const shown = isExpanded ? sorted : sorted.slice(0, FEW_BACKENDS);
  const hidden = sorted.length - shown.length;
  const { text, mood } = summaryOf(backends);
  return make(
    'tr',
    { 'data-row': key, role: 'row' },
    make(
      'th',
      { scope: 'row', role: 'rowheader' },
      make('span', { class: 'name key-name' }, key),
      make(
        'div',
        { class: 'under' },
        make('span', { class: 'name aside' }, name),
        make('span', { class: `summary ${mood}` }, text),
      ),
    ),
    make(
      'td',
      { role: 'cell' },
      make('ul', { class: 'backends' }, ...shown.map((backend) => backendItem(backend, table.receivedAt))),
      hidden > 0 && button('show-backends', `Show ${count(hidden)} more`, { 'data-key': key, class: 'quiet' }),
      isExpanded && button('hide-backends', 'Show fewer', { 'data-key': key, class: 'quiet' }),
      faultsList(faults),
    ),
    make(
      'td',
      { role: 'cell', class: 'actions' },
      button('explain', 'Explain', { 'data-host': key, 'aria-label': `Explain ${key}` }),
      button('edit', 'Edit', { 'data-key': key, 'aria-label': `Edit ${key}` }),
    ),
  );
}

function summaryOf(backends: readonly BackendView[]): { readonly text: string; readonly mood: string } {
  const all = backends.length;
  const alive = backends.filter(({ state }) => state === 'alive').length;
  if (all === 0) return { text: 'no backend', mood: 'bad' };
  if (alive === 0) return { text: `none of ${count(all)} alive`, mood: 'bad' };
  if (alive < all) return { text: `${count(alive)} of ${count(all)} alive`, mood: 'doubtful' };
  return { text: all === 1 ? 'alive' : `all ${count(all)} alive`, mood: 'good' };
}

/** A backend and its state. @param receivedAt performance.now() of the response that it was in */
export function backendItem({ id, url, state, secondsLeft, fault }: BackendView, receivedAt: number): HTMLElement {
  const mark = state === 'unusable' ? `unusable: ${fault ?? ''}` : markOf(state, secondsLeft, receivedAt);
  return make(
    'li',
    { 'data-row': id, class: `backend ${state}` },
    make('span', { class: 'name' }, url),
    ' ',
    make('span', { class: 'mark' }, mark),
  );
}

function markOf(state: BackendView['state'], secondsLeft: number | null, receivedAt: number): string {
  if (state !== 'dead') return state;
  if (secondsLeft === null) return 'dead, without expiry';
  const left = secondsLeft - (performance.now() - receivedAt) / 1000;
  return left > 0 ? `dead, ${duration(Math.ceil(left))} left` : 'dead, expires now';
}

/** Faults with their advice; null when there is none. */
export function faultsList(faults: readonly Fault[]): HTMLElement | null {
  if (faults.length === 0) return null;
  return make(
    'ul',
    { class: 'faults' },
    ...faults.map(({ text, advice }) =>
      make('li', {}, make('span', {}, text), ' ', advice ? make('code', {}, advice) : null),
    ),
  );
}
