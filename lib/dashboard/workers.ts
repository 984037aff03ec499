/** The table of processes: the master and its workers. */
import type { WorkerAnswer, WorkersAnswer } from '../admin/answers.ts';
import { fetchWorkers, reasonOf } from './api.ts';
import { byId, cards, column, make, render, setFault, setText } from './elements.ts';
import { count, duration, latency, plural, size } from './words.ts';

/** Fetches and shows the workers. Rejects when the router does not respond. */
export async function refreshWorkers(): Promise<void> {
  const fault = byId('workers-fault');
  try {
    const response = await fetchWorkers();
    setFault(fault, null);
    showWorkers(response);
  } catch (error) {
    setFault(fault, reasonOf(error));
    throw error;
  }
}

const COLUMNS = [
  'Worker',
  'Generation',
  'State',
  'Up',
  'Memory',
  'Heap',
  'Connections',
  'Exchanges',
  'Tunnels',
  'Loop delay p50 / p99 / max',
];

function showWorkers({ master, workers }: WorkersAnswer): void {
  const generations = new Set(workers.map(({ generation }) => generation)).size;
  setText(
    byId('master'),
    `Master ${master.pid}, version ${master.version}, up ${duration(master.upSeconds)}, ${size(master.residentBytes)}. ` +
      `${plural(workers.length, 'worker')} of ${plural(generations, 'generation')}.`,
  );
  if (workers.length === 0) {
    render(byId('workers-list'), make('p', { class: 'empty' }, 'No worker runs. The events say why.'));
    return;
  }
  const titles = COLUMNS.map((title, i) => column(title, { isNumber: i > 2 }));
  render(byId('workers-list'), cards('Workers', titles, workers.map(workerRow)));
}

const CLASS_OF_STATE: Readonly<Record<WorkerAnswer['state'], string>> = {
  starting: 'doubtful',
  serving: 'good',
  draining: 'doubtful',
};

function workerRow(worker: WorkerAnswer): HTMLTableRowElement {
  const cells = [
    worker.generation,
    make('strong', { class: CLASS_OF_STATE[worker.state] }, worker.state),
    duration(worker.upSeconds),
    size(worker.residentBytes),
    size(worker.heapBytes),
    count(worker.connections),
    count(worker.exchanges),
    count(worker.tunnels),
    loopDelay(worker.loopDelay),
  ];
  return make(
    'tr',
    { 'data-row': worker.pid, role: 'row' },
    make('th', { scope: 'row', role: 'rowheader', 'data-label': 'Worker' }, worker.pid),
    ...cells.map((cell, i) =>
      make('td', { role: 'cell', class: i > 1 ? 'number' : null, 'data-label': COLUMNS[i + 1] ?? '' }, cell),
    ),
  );
}

function loopDelay(delays: WorkerAnswer['loopDelay']): string {
  if (delays === null) return '–';
  return `${latency(delays.p50)} / ${latency(delays.p99)} / ${latency(delays.max)}`;
}
