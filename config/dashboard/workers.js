'use strict';
/* The processes. */

const processes = {
  /** @type {WorkersAnswer | null} */
  answer: null,
};

async function askForWorkers() {
  const fault = part('workers-fault');
  try {
    processes.answer = await askWorkers();
    say(fault, '');
    fault.hidden = true;
    showWorkers();
  } catch (error) {
    say(fault, reasonOf(error));
    fault.hidden = false;
    throw error;
  }
}

const WORKER_COLUMNS = [
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

function showWorkers() {
  if (processes.answer === null) return;
  const { master, workers } = processes.answer;
  const generations = new Set(workers.map(({ generation }) => generation)).size;
  say(
    part('master'),
    `Master ${master.pid}, version ${master.version}, up ${duration(master.upSeconds)}, ${size(master.residentBytes)}. ` +
      `${plural(workers.length, 'worker')} of ${plural(generations, 'generation')}.`,
  );
  if (workers.length === 0) {
    show(part('workers-list'), make('p', { class: 'empty' }, 'No worker runs. The events below say why.'));
    return;
  }
  show(
    part('workers-list'),
    make(
      'table',
      { class: 'cards', role: 'table' },
      make('caption', { class: 'unseen' }, 'Workers'),
      make(
        'thead',
        { role: 'rowgroup' },
        make(
          'tr',
          { role: 'row' },
          ...WORKER_COLUMNS.map((title, i) =>
            make('th', { scope: 'col', role: 'columnheader', class: i > 2 ? 'number' : null }, title),
          ),
        ),
      ),
      make('tbody', { role: 'rowgroup' }, ...workers.map(workerRow)),
    ),
  );
}

const STATES = { starting: 'doubtful', serving: 'good', draining: 'doubtful' };

/** @param {WorkersAnswer['workers'][number]} worker */
function workerRow(worker) {
  const { p50, p99, max } = worker.loopDelay;
  const cells = [
    worker.generation,
    make('strong', { class: STATES[worker.state] ?? '' }, worker.state),
    duration(worker.upSeconds),
    size(worker.residentBytes),
    size(worker.heapBytes),
    count(worker.connections),
    count(worker.exchanges),
    count(worker.tunnels),
    `${latency(p50)} / ${latency(p99)} / ${latency(max)}`,
  ];
  return make(
    'tr',
    { 'data-row': worker.pid, role: 'row' },
    make('th', { scope: 'row', role: 'rowheader', 'data-label': 'Worker' }, worker.pid),
    ...cells.map((cell, i) =>
      make('td', { role: 'cell', class: i > 1 ? 'number' : null, 'data-label': WORKER_COLUMNS[i + 1] ?? '' }, cell),
    ),
  );
}
