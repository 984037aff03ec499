/** The table of the other routers of the store, if there are any. */
import type { FleetRouter } from '../admin/answers.ts';
import { fetchFleet, reasonOf } from './api.ts';
import { byId, cards, column, make, render, setFault, setText } from './elements.ts';
import { count, duration, latency, plural, rate } from './words.ts';

/** A clock that is further from that of Redis is marked, seconds. */
const MOST_SKEW = 1;

/** Fetches and shows the fleet. Never rejects: without Redis there is none to show, and the router responds all the same. */
export async function refreshFleet(): Promise<void> {
  const fault = byId('fleet-fault');
  try {
    const { routers } = await fetchFleet();
    setFault(fault, null);
    byId('fleet').hidden = routers.length < 2;
    showRouters(routers);
  } catch (error) {
    setFault(fault, reasonOf(error));
  }
}

const COLUMNS = [
  'Router',
  'Version',
  'Workers',
  'Up',
  'Requests/s',
  'Connections',
  'Exchanges',
  'Loop lag',
  'Clock',
  'Heartbeat',
];

function showRouters(routers: readonly FleetRouter[]): void {
  const workers = routers.reduce((sum, each) => sum + each.workers, 0);
  setText(byId('fleet-text'), `${plural(routers.length, 'router')}, ${plural(workers, 'worker')}.`);
  const titles = COLUMNS.map((title, i) => column(title, { isNumber: i > 2 }));
  render(byId('fleet-list'), cards('Routers', titles, routers.map(routerRow)));
}

function routerRow(router: FleetRouter): HTMLTableRowElement {
  const { clockSkew, heartbeatAgo, silent, draining } = router;
  const states = [silent > 0 ? `${silent} silent` : '', draining > 0 ? `${draining} draining` : ''].filter(Boolean);
  const isAhead = Math.abs(clockSkew ?? 0) > MOST_SKEW;
  const cells = [
    router.version,
    make('strong', { class: silent > 0 ? 'bad' : 'good' }, [String(router.workers), ...states].join(', ')),
    duration((Date.now() - Date.parse(router.since)) / 1000),
    rate(router.requestsPerSecond),
    count(router.connections),
    count(router.exchanges),
    latency(router.loopLag),
    make('span', { class: isAhead ? 'bad' : null }, clockSkew === null ? '–' : `${Math.round(clockSkew * 1000)} ms`),
    `${heartbeatAgo.toFixed(1)} s ago`,
  ];
  return make(
    'tr',
    { 'data-row': router.id, role: 'row' },
    make('th', { scope: 'row', role: 'rowheader', 'data-label': 'Router' }, `${router.host} ${router.pid}`),
    ...cells.map((cell, i) =>
      make('td', { role: 'cell', class: i > 1 ? 'number' : null, 'data-label': COLUMNS[i + 1] ?? '' }, cell),
    ),
  );
}
