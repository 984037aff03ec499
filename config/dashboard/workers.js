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
  const titles = WORKER_COLUMNS.map((title, i) => column(title, { isNumber: i > 2 }));
  show(part('workers-list'), cards('Workers', titles, workers.map(workerRow)));
}

const STATES = { starting: 'doubtful', serving: 'good', draining: 'doubtful' };

/** @param {WorkersAnswer['workers'][number]} worker */
function workerRow(worker) {
  const cells = [
    worker.generation,
    make('strong', { class: STATES[worker.state] ?? '' }, worker.state),
    duration(worker.upSeconds),
    size(worker.residentBytes),
    size(worker.heapBytes),
    count(worker.connections),
    count(worker.exchanges),
    count(worker.tunnels),
    delaysOf(worker.loopDelay),
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

/** @param {WorkersAnswer['workers'][number]['loopDelay']} delays */
function delaysOf(delays) {
  if (delays === null) return '–';
  return `${latency(delays.p50)} / ${latency(delays.p99)} / ${latency(delays.max)}`;
}
