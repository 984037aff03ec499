'use strict';
/* The table of frontends: a page at a time, searched by the router. */

const PAGE_SIZE = 20;
/** Backends of one frontend that are shown before one asks for more. */
const FEW_BACKENDS = 6;
/** A router that searches as it goes along may answer with empty pages; so many are passed over at once. */
const EMPTY_PAGES = 20;

const frontends = {
  match: '',
  /** Where this page and those before it begin. @type {(string | null)[]} */
  cursors: [null],
  /** @type {FrontendsAnswer | null} */
  page: null,
  /** performance.now() of that answer. */
  heardAt: 0,
  /** Keys whose backends are all shown. @type {Set<string>} */
  opened: new Set(),
  /** Why there is no newer answer. @type {string | null} */
  fault: null,
  asked: 0,
  /** The number of the question that was answered last: one overtaken by a later one is not shown. */
  shown: 0,
};

async function askForFrontends() {
  const number = ++frontends.asked;
  const { match, cursors } = frontends;
  let cursor = cursors.at(-1) ?? null;
  try {
    let page = await askFrontends({ limit: PAGE_SIZE, cursor, match });
    for (let i = 0; i < EMPTY_PAGES && page.frontends.length === 0 && page.next !== null; i++) {
      cursor = page.next;
      page = await askFrontends({ limit: PAGE_SIZE, cursor, match });
    }
    // Another page, or another search, has been asked for.
    if (cursors !== frontends.cursors || number < frontends.shown) return;
    frontends.shown = number;
    cursors[cursors.length - 1] = cursor;
    frontends.page = page;
    frontends.heardAt = performance.now();
    frontends.fault = null;
  } catch (error) {
    frontends.fault = reasonOf(error);
    throw error;
  } finally {
    showFrontends();
  }
}

/** @param {string} match */
function searchFrontends(match) {
  if (match === frontends.match) return;
  frontends.match = match;
  turnTo([null]);
}

/** @param {(string | null)[]} cursors */
function turnTo(cursors) {
  frontends.cursors = cursors;
  refresh(askForFrontends);
}

function nextPage() {
  const next = frontends.page?.next ?? null;
  if (next !== null) turnTo([...frontends.cursors, next]);
}

function previousPage() {
  if (frontends.cursors.length > 1) turnTo(frontends.cursors.slice(0, -1));
}

function showFrontends() {
  const { page, cursors, fault } = frontends;
  say(part('frontends-fault'), fault ?? '');
  part('frontends-fault').hidden = fault === null;
  if (page === null) return;
  const isFirst = cursors.length === 1;
  const isAll = isFirst && page.next === null;
  show(part('frontends-list'), page.frontends.length === 0 ? noFrontends() : frontendsTable(page.frontends));
  part('frontends-pages').hidden = isAll;
  say(part('frontends-page'), `Page ${cursors.length}`);
  part('previous-page').toggleAttribute('disabled', isFirst);
  part('next-page').toggleAttribute('disabled', page.next === null);
}

function noFrontends() {
  const { match, cursors } = frontends;
  if (cursors.length > 1) return make('p', { class: 'empty' }, 'Nothing more on this page.');
  if (match !== '') {
    return make(
      'div',
      { class: 'empty' },
      make('p', {}, `No key of a frontend has “${match}” in it.`),
      button('explain', 'Explain this host', { 'data-host': match }),
    );
  }
  const store = traffic.live?.store.name ?? '';
  // What stands after "#" in a driver URL goes before every key.
  const prefix = store.includes('#') ? store.slice(store.indexOf('#') + 1) : '';
  const how = store.startsWith('file:')
    ? [
        make('p', {}, 'No frontend yet. Write one into the routes file:'),
        example('{ "www.example.com": ["mywebsite", "http://10.0.0.1:80"] }'),
      ]
    : [
        make('p', {}, 'No frontend yet. This adds one, and the next request finds it:'),
        example(`redis-cli rpush ${prefix}frontend:www.example.com mywebsite http://10.0.0.1:80`),
      ];
  return make('div', { class: 'empty' }, ...how);
}

/** @param {string} line */
function example(line) {
  return make('pre', { tabindex: 0 }, line);
}

/** @param {readonly FrontendAnswer[]} list */
function frontendsTable(list) {
  const titles = ['Frontend', 'Backends', 'Actions'].map((title) => column(title));
  return cards('Frontends and their backends', titles, list.map(frontendRow));
}

/** @param {FrontendAnswer} frontend */
function frontendRow({ key, name, backends, faults }) {
  const isOpened = frontends.opened.has(key);
  // Those in trouble first, since it is they who are looked for.
  const sorted = backends.toSorted((a, b) => Number(a.state === 'alive') - Number(b.state === 'alive') || a.id - b.id);
  const shown = isOpened ? sorted : sorted.slice(0, FEW_BACKENDS);
  const hidden = sorted.length - shown.length;
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
        make('span', { class: `summary ${moodOf(backends)}` }, summaryOf(backends)),
      ),
    ),
    make(
      'td',
      { role: 'cell' },
      make('ul', { class: 'backends' }, ...shown.map((backend) => backendItem(backend, frontends.heardAt))),
      hidden > 0 && button('show-backends', `Show ${count(hidden)} more`, { 'data-key': key, class: 'quiet' }),
      isOpened && button('hide-backends', 'Show fewer', { 'data-key': key, class: 'quiet' }),
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

/** @param {readonly BackendAnswer[]} backends */
function moodOf(backends) {
  const alive = backends.filter(({ state }) => state === 'alive').length;
  if (alive === 0) return 'bad';
  return alive < backends.length ? 'doubtful' : 'good';
}

/** @param {readonly BackendAnswer[]} backends */
function summaryOf(backends) {
  if (backends.length === 0) return 'no backend';
  const alive = backends.filter(({ state }) => state === 'alive').length;
  if (alive === backends.length) return alive === 1 ? 'alive' : `all ${count(alive)} alive`;
  return alive === 0 ? `none of ${count(backends.length)} alive` : `${count(alive)} of ${count(backends.length)} alive`;
}

/**
 * A backend and how it is.
 * @param {BackendAnswer} backend
 * @param {number} heardAt performance.now() of the answer
 */
function backendItem({ id, url, state, secondsLeft, fault }, heardAt) {
  return make(
    'li',
    { 'data-row': id, class: `backend ${state}` },
    make('span', { class: 'name' }, url),
    ' ',
    make(
      'span',
      { class: 'mark' },
      state === 'unusable' ? `unusable: ${fault ?? ''}` : markOf(state, secondsLeft, heardAt),
    ),
  );
}

/**
 * @param {BackendAnswer['state']} state
 * @param {number | null} secondsLeft
 * @param {number} heardAt
 */
function markOf(state, secondsLeft, heardAt) {
  if (state !== 'dead') return state;
  if (secondsLeft === null) return 'dead, without an end';
  const left = secondsLeft - (performance.now() - heardAt) / 1000;
  return left > 0 ? `dead, ${duration(Math.ceil(left))} left` : 'dead, back any moment';
}

/** @param {readonly Fault[]} faults */
function faultsList(faults) {
  if (faults.length === 0) return null;
  return make(
    'ul',
    { class: 'faults' },
    ...faults.map(({ text, advice }) =>
      make('li', {}, make('span', {}, text), ' ', advice ? make('code', {}, advice) : null),
    ),
  );
}
