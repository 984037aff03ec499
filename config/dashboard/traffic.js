'use strict';
/* Requests, errors and latency of the last minutes, in all and of the busiest frontends. */

/** Seconds that are kept and drawn. */
const SPAN = 300;
/** Seconds that the large numbers are the mean of. */
const RECENT = 5;

const traffic = {
  /** @type {LiveAnswer | null} */
  live: null,
  total: {
    requests: /** @type {Series} */ ([]),
    errors: /** @type {Series} */ ([]),
    p50: /** @type {Series} */ ([]),
    p99: /** @type {Series} */ ([]),
  },
  /** @type {LiveAnswer['frontends']} */
  busiest: [],
  /** performance.now() of the last answer. */
  heardAt: 0,
};

/**
 * Takes in an answer that may reach less far back than what is known.
 * @param {LiveAnswer} live
 * @param {boolean} isFull
 */
function takeInTraffic(live, isFull) {
  const { total } = live;
  const measured = { ...total, p50: whereAsked(total.p50, total.requests), p99: whereAsked(total.p99, total.requests) };
  // Another clock, another router, or a tab that slept: what was known does not go with what is new.
  const later = traffic.live === null || isFull ? SPAN : live.now - traffic.live.now;
  traffic.total = {
    requests: joined(traffic.total.requests, measured.requests, later),
    errors: joined(traffic.total.errors, measured.errors, later),
    p50: joined(traffic.total.p50, measured.p50, later),
    p99: joined(traffic.total.p99, measured.p99, later),
  };
  if (isFull) traffic.busiest = live.frontends;
  traffic.live = live;
  traffic.heardAt = performance.now();
}

/**
 * @param {Series} known
 * @param {Series} fresh
 * @param {number} later how many seconds after the end of the one the other ends
 */
function joined(known, fresh, later) {
  if (later < 0 || later >= SPAN) return fresh.slice(-SPAN);
  const gap = later - fresh.length;
  const kept = gap >= 0 ? known : known.slice(0, Math.max(0, known.length + gap));
  return [...kept, ...Array.from({ length: Math.max(0, gap) }, () => null), ...fresh].slice(-SPAN);
}

/**
 * A latency only where there was a request: none took no time.
 * @param {Series} values
 * @param {Series} requests
 */
function whereAsked(values, requests) {
  return values.map((value, i) => (requests[i] === 0 ? null : value));
}

/** @param {Series} values */
function recentMean(values) {
  const recent = values.slice(-RECENT).filter((value) => value !== null);
  return recent.length === 0 ? null : sum(recent) / recent.length;
}

/** @param {Series} values */
function lastKnown(values) {
  return values.slice(-2 * RECENT).findLast((value) => value !== null) ?? null;
}

/** @param {Series} values */
function sum(values) {
  return values.reduce((/** @type {number} */ all, value) => all + (value ?? 0), 0);
}

/** Epoch seconds by the router's clock. */
function routerTime() {
  return (traffic.live?.now ?? 0) + (performance.now() - traffic.heardAt) / 1000;
}

function showTraffic() {
  const { live, total } = traffic;
  if (live === null) return;
  const all = sum(total.requests);
  const failed = sum(total.errors);
  const share = all === 0 ? 0 : (failed / all) * 100;
  show(
    part('numbers'),
    card(
      'Requests',
      [figureOf(rate(recentMean(total.requests)), 'per second', 'requests-now')],
      fullChart({
        id: 'requests',
        title: 'Requests per second',
        lines: [{ label: 'requests', kind: 'requests', values: total.requests }],
        words: rate,
        least: 1,
        now: live.now,
      }),
    ),
    card(
      'Errors',
      [
        figureOf(rate(recentMean(total.errors)), 'per second', 'errors-now'),
        make(
          'span',
          { class: 'aside' },
          failed === 0 ? 'none' : `${share < 0.1 ? '< 0.1' : share.toFixed(1)} % of all`,
        ),
      ],
      fullChart({
        id: 'errors',
        title: 'Answers of 500 and above per second',
        lines: [{ label: 'errors', kind: 'errors', values: total.errors }],
        words: rate,
        least: 1,
        now: live.now,
      }),
    ),
    card(
      'Latency',
      [
        figureOf(latency(lastKnown(total.p50)), 'p50', 'p50-now', 'p50'),
        figureOf(latency(lastKnown(total.p99)), 'p99', 'p99-now', 'p99'),
      ],
      fullChart({
        id: 'latency',
        title: 'Latency',
        lines: [
          { label: 'p50', kind: 'p50', values: total.p50 },
          { label: 'p99', kind: 'p99', values: total.p99 },
        ],
        words: latency,
        least: 0.001,
        now: live.now,
      }),
    ),
  );
}

/**
 * @param {string} title
 * @param {readonly Part[]} figures
 * @param {HTMLElement} chart
 */
function card(title, figures, chart) {
  return make('section', { class: 'card' }, make('h3', {}, title), make('p', { class: 'figures' }, ...figures), chart);
}

/**
 * @param {string} value
 * @param {string} unit
 * @param {string} id
 * @param {string | null} kind the line of the chart that it belongs to
 */
function figureOf(value, unit, id, kind = null) {
  return make(
    'span',
    { class: 'figure' },
    make('strong', { id }, value),
    ' ',
    make('span', { class: kind === null ? 'unit' : `unit key ${kind}` }, unit),
  );
}

function showState() {
  const { live } = traffic;
  if (live === null) return;
  const { ready, store } = live;
  show(
    part('state'),
    fact(
      'Readiness',
      make('strong', { class: ready.isReady ? 'good' : 'bad', id: 'readiness' }, ready.isReady ? 'Ready' : 'Not ready'),
      ready.reasons.length > 0 && make('ul', {}, ...ready.reasons.map((reason) => make('li', {}, reason))),
    ),
    fact(
      'Store',
      make('strong', { class: store.isUp ? 'good' : 'bad', id: 'store-state' }, store.isUp ? 'Answers' : 'Silent'),
      make('span', { class: 'aside name' }, store.name),
    ),
    fact('Connections', make('strong', {}, count(live.connections)), make('span', { class: 'aside' }, 'of clients')),
    fact('Exchanges', make('strong', {}, count(live.exchanges)), make('span', { class: 'aside' }, 'under way')),
    fact('Tunnels', make('strong', {}, count(live.tunnels)), make('span', { class: 'aside' }, 'WebSockets')),
  );
}

/**
 * @param {string} term
 * @param {...Part} parts
 */
function fact(term, ...parts) {
  return make('div', {}, make('dt', {}, term), make('dd', {}, ...parts));
}

function showBusiest() {
  const { busiest, live } = traffic;
  if (live === null) return;
  const place = part('busiest-list');
  if (busiest.every(({ requests }) => sum(requests) === 0)) {
    show(
      place,
      make(
        'div',
        { class: 'empty' },
        make('p', {}, 'No request in the last five minutes. This sends one:'),
        make('pre', { tabindex: 0 }, "curl -H 'Host: www.example.com' http://127.0.0.1:8080/"),
      ),
    );
    return;
  }
  show(
    place,
    make(
      'table',
      {},
      make('caption', { class: 'unseen' }, 'The busiest frontends of the last five minutes, by identifier'),
      make(
        'thead',
        {},
        make(
          'tr',
          {},
          make('th', { scope: 'col' }, 'Identifier'),
          make('th', { scope: 'col', class: 'wide' }, 'Last minutes'),
          make('th', { scope: 'col', class: 'number' }, 'Req/s'),
          make('th', { scope: 'col', class: 'number' }, 'Err/s'),
          make('th', { scope: 'col', class: 'number' }, 'p99'),
        ),
      ),
      make('tbody', {}, ...busiest.map(busyRow)),
    ),
  );
}

/** @param {LiveAnswer['frontends'][number]} frontend */
function busyRow({ name, requests, errors, p99 }) {
  const failed = recentMean(errors);
  return make(
    'tr',
    { 'data-row': name },
    make('th', { scope: 'row', class: 'name' }, name === '' ? '(no identifier)' : name),
    make(
      'td',
      { class: 'wide' },
      sparkline(`${plural(sum(requests), 'request')}, ${plural(sum(errors), 'error')}`, requests, errors),
    ),
    make('td', { class: 'number' }, rate(recentMean(requests))),
    make('td', { class: failed ? 'number bad' : 'number' }, rate(failed)),
    make('td', { class: 'number' }, latency(lastKnown(whereAsked(p99, requests)))),
  );
}
