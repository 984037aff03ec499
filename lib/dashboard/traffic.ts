/** Requests, errors and latency of the last minutes, in all and of the busiest frontends; and the state of the router. */
import type { LiveAnswer } from '../admin/answers.ts';
import { sparkline } from './charts.ts';
import { byId, make, type Part, render } from './elements.ts';
import { joined, lastKnown, recentMean, sum, whereRequested } from './series.ts';
import { trafficCards, type TrafficSeries } from './traffic-cards.ts';
import { count, latency, plural, rate } from './words.ts';

interface Traffic {
  /** The last response; null before the first. */
  live: LiveAnswer | null;
  /** performance.now() of that response. */
  receivedAt: number;
  total: TrafficSeries;
  busiest: LiveAnswer['frontends'];
}

const traffic: Traffic = {
  live: null,
  receivedAt: 0,
  total: { requests: [], errors: [], p50: [], p99: [] },
  busiest: [],
};

/** The last response of the router; null before the first. */
export function lastLive(): LiveAnswer | null {
  return traffic.live;
}

/** Adds a response to the data. One with only the last seconds (`isFull` false) is joined with the earlier ones. */
export function addTraffic(live: LiveAnswer, isFull: boolean): void {
  const { requests, errors, p50, p99 } = live.total;
  const older = traffic.total;
  // A full response replaces what is known.
  const later = isFull || traffic.live === null ? Number.POSITIVE_INFINITY : live.now - traffic.live.now;
  traffic.total = {
    requests: joined(older.requests, requests, later),
    errors: joined(older.errors, errors, later),
    p50: joined(older.p50, whereRequested(p50, requests), later),
    p99: joined(older.p99, whereRequested(p99, requests), later),
  };
  if (isFull) traffic.busiest = live.frontends;
  traffic.live = live;
  traffic.receivedAt = performance.now();
}

/** Epoch seconds by the router's clock. */
export function routerTime(): number {
  return (traffic.live?.now ?? 0) + (performance.now() - traffic.receivedAt) / 1000;
}

export function showTraffic(): void {
  const { live, total } = traffic;
  if (live !== null) render(byId('numbers'), ...trafficCards('', total, live.now));
}

/** Shows readiness, refused changes, the store, and what is open now. */
export function showState(): void {
  const { live } = traffic;
  if (live === null) return;
  const { ready, refused, store } = live;
  const { text, mood } = readiness(ready);
  render(
    byId('state'),
    fact(
      'Readiness',
      make('strong', { class: mood, id: 'readiness' }, text),
      ready.reasons.length > 0 && make('ul', {}, ...ready.reasons.map((reason) => make('li', {}, reason))),
    ),
    refused.length > 0 &&
      fact(
        'Changes',
        make('strong', { class: 'bad', id: 'refused' }, 'Refused'),
        make('ul', {}, ...refused.map((reason) => make('li', {}, reason))),
      ),
    fact(
      'Store',
      make('strong', { class: store.isUp ? 'good' : 'bad', id: 'store-state' }, store.isUp ? 'Replies' : 'No reply'),
      make('span', { class: 'aside name' }, store.name),
    ),
    fact('Connections', make('strong', {}, count(live.connections)), make('span', { class: 'aside' }, 'of clients')),
    fact('Exchanges', make('strong', {}, count(live.exchanges)), make('span', { class: 'aside' }, 'open')),
    fact('Tunnels', make('strong', {}, count(live.tunnels)), make('span', { class: 'aside' }, 'WebSockets')),
  );
}

/** The readiness that `/readyz` responds with, and the class of its colour. */
export function readiness(ready: LiveAnswer['ready'] | undefined): { readonly text: string; readonly mood: string } {
  if (!ready?.isReady) return { text: 'Not ready', mood: 'bad' };
  return ready.isDegraded ? { text: 'Degraded', mood: 'doubtful' } : { text: 'Ready', mood: 'good' };
}

function fact(term: string, ...parts: readonly Part[]): HTMLElement {
  return make('div', {}, make('dt', {}, term), make('dd', {}, ...parts));
}

export function showBusiest(): void {
  const { busiest, live } = traffic;
  if (live === null) return;
  const isQuiet = busiest.every(({ requests }) => sum(requests) === 0);
  render(byId('busiest-list'), isQuiet ? noRequests() : busiestTable(busiest));
}

function noRequests(): HTMLElement {
  return make(
    'div',
    { class: 'empty' },
    make('p', {}, 'No request in the last five minutes. This sends one:'),
    make('pre', { tabindex: 0 }, "curl -H 'Host: www.example.com' http://127.0.0.1:8080/"),
  );
}

function busiestTable(busiest: LiveAnswer['frontends']): HTMLElement {
  return make(
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
  );
}

function busyRow({ name, requests, errors, p99 }: LiveAnswer['frontends'][number]): HTMLElement {
  const errorRate = recentMean(errors);
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
    make('td', { class: errorRate ? 'number bad' : 'number' }, rate(errorRate)),
    make('td', { class: 'number' }, latency(lastKnown(whereRequested(p99, requests)))),
  );
}
