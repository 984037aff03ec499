/** Formats the table of `hipache top` from responses of the admin API (docs/admin.md). Pure functions. */
import { Part } from './answer-part.ts';
import { type Console, clean, paint, Table } from './console.ts';
import type { TopSort, TopState } from './top-keys.ts';

/** The JSON responses. The router may have another version. */
export interface TopView {
  readonly live: unknown;
  readonly workers: unknown;
  /** Null where the router has none. */
  readonly summary: unknown;
}

/** Of a terminal. */
export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** For a file or a program: as long and wide as it comes. */
export const UNBOUNDED: Size = { rows: Infinity, columns: Infinity };

/** Frontends that are shown in the least. */
const LEAST_ROOM = 3;
/** The share of the rows that workers may have. */
const WORKERS_SHARE = 1 / 3;
const KEYS = 't traffic  e errors  l latency  s state  n name  / filter  arrows scroll  q quit';

/** The lines, and how many frontends fit. */
export interface TopLines {
  readonly lines: readonly string[];
  readonly room: number;
  readonly found: number;
}

/** @param state null where there are no keys */
export function topLines(
  console: Console,
  view: TopView,
  { rows, columns }: Size,
  sort: TopSort,
  state: TopState | null,
): TopLines {
  const summary = new Part(view.summary);
  const head = headLines(console, new Part(view.live), summary);
  const processes = workerLines(new Part(view.workers), Math.max(LEAST_ROOM, Math.floor(rows * WORKERS_SHARE)));
  const foot = state === null ? [] : [footLine(console, state)];
  // Two empty lines, the heading, and the last line of the terminal.
  const room = Math.max(LEAST_ROOM, rows - head.length - processes.length - foot.length - 4);
  const frontends = frontendLines(summary, new Part(view.live), sort, columns);
  const found = summary.number('found') ?? frontends.length - 1;
  const shown = frontends.slice(0, room + 1);
  return { lines: [...head, '', ...shown, '', ...processes, ...foot], room, found };
}

function headLines(console: Console, now: Part, summary: Part): readonly string[] {
  const total = now.part('total');
  const store = now.part('store');
  const isUp = store.flag('isUp');
  return [
    [
      paint(console, 'bold', `hipache ${clean(now.text('version'))}`),
      `${clean(store.text('name'))} ${paint(console, isUp ? 'green' : 'red', isUp ? 'up' : 'DOWN')}`,
      readiness(console, now.part('ready')),
    ].join('  '),
    [
      `req/s ${short(total.last('requests'))}`,
      `err/s ${short(total.last('errors'))}`,
      `p50 ${time(total.last('p50'))}`,
      `p99 ${time(total.last('p99'))}`,
      `conn ${short(now.number('connections'))}`,
      `exch ${short(now.number('exchanges'))}`,
      `tunnels ${short(now.number('tunnels'))}`,
    ].join('  '),
    ...now.texts('refused').map((text) => paint(console, 'red', clean(text))),
    ...problemLine(console, summary),
  ];
}

/** The first of the problems, which are the worst first. */
function problemLine(console: Console, summary: Part): readonly string[] {
  const problems = summary.parts('problems');
  const [first] = problems;
  if (first === undefined) return [];
  const all = problems.length + (summary.number('moreProblems') ?? 0);
  const where = first.text('frontend');
  const text = `${where === '-' ? '' : `${where}: `}${first.text('text')}`;
  return [paint(console, 'red', clean(`${all} problem${all === 1 ? '' : 's'}; ${text}`))];
}

function footLine(console: Console, { typed, match }: TopState): string {
  if (typed !== null) return `filter: ${clean(typed)}_  (Enter keeps it, Esc ends it)`;
  return paint(console, 'dim', match === '' ? KEYS : `filter: ${clean(match)} (Esc ends it)  ${KEYS}`);
}

function readiness(console: Console, ready: Part): string {
  const reasons = clean(ready.texts('reasons').join(', '));
  if (!ready.flag('isReady')) return paint(console, 'red', `NOT READY: ${reasons}`);
  return ready.flag('isDegraded') ? paint(console, 'yellow', `degraded: ${reasons}`) : 'ready';
}

/** A column: its title, and what a sort by it is called. */
const COLUMNS: readonly (readonly [title: string, sort: TopSort | null])[] = [
  ['FRONTEND', 'key'],
  ['STATE', 'state'],
  ['DEAD', null],
  ['REQ/S', 'traffic'],
  ['ERR/S', 'errors'],
  ['P50', null],
  ['P99', 'latency'],
];

/** The heading, then a line for each frontend. The names take what the other columns leave. */
function frontendLines(summary: Part, live: Part, sort: TopSort, columns: number): readonly string[] {
  const summaries = summary.parts('frontends');
  const heading = COLUMNS.map(([title, by]) => (by === sort ? `${title}*` : title));
  const [first = '', ...titles] = heading;
  // A router of an older version has the busiest only, by identifier.
  const rows = summaries.length > 0 ? summaries.map(summaryRow) : busiestRows(live);
  const others = new Table().lines([titles, ...rows.map(([, ...cells]) => cells)]);
  const widest = others.reduce((width, line) => Math.max(width, line.length), 0);
  const names = [first, ...rows.map(([name = '']) => clean(name))];
  const width = Math.min(columns - widest - 2, Math.max(...names.map((name) => Array.from(name).length)));
  return names.map((name, i) => `${fitted(name, width)}  ${others[i] ?? ''}`);
}

function summaryRow(each: Part): readonly string[] {
  return [
    each.text('key'),
    each.text('state'),
    `${count(each.number('dead'))}/${count(each.number('backends'))}`,
    rate(each.number('requestsPerSecond')),
    rate(each.number('errorsPerSecond')),
    time(each.number('p50')),
    time(each.number('p99')),
  ];
}

function busiestRows(live: Part): readonly (readonly string[])[] {
  return live
    .parts('frontends')
    .toSorted((a, b) => (b.last('requests') ?? 0) - (a.last('requests') ?? 0))
    .map((each) => [
      each.text('name'),
      '-',
      '-',
      count(each.last('requests')),
      count(each.last('errors')),
      time(each.last('p50')),
      time(each.last('p99')),
    ]);
}

/** A name as wide as its column: what is too long is cut, which a dot shows. */
function fitted(name: string, width: number): string {
  const signs = Array.from(name);
  const least = Math.max(1, width);
  return signs.length > least ? `${signs.slice(0, least - 1).join('')}.` : name + ' '.repeat(least - signs.length);
}

function workerLines(answer: Part, most: number): readonly string[] {
  const master = answer.part('master');
  const workers = answer.parts('workers');
  const own = [
    count(master.number('pid')),
    'master',
    '-',
    age(master.number('upSeconds')),
    megabytes(master.number('residentBytes')),
  ];
  const heading = ['PID', 'STATE', 'GEN', 'UP', 'MB', 'CONN', 'EXCH', 'TUNNELS', 'LOOP P99'];
  const lines = new Table().lines([heading, [...own, '-', '-', '-', '-'], ...workers.map(workerRow)]);
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `and ${lines.length - most + 1} more workers`];
}

function workerRow(each: Part): readonly string[] {
  return [
    count(each.number('pid')),
    each.text('state'),
    count(each.number('generation')),
    age(each.number('upSeconds')),
    megabytes(each.number('residentBytes')),
    count(each.number('connections')),
    count(each.number('exchanges')),
    count(each.number('tunnels')),
    time(each.part('loopDelay').number('p99')),
  ];
}

function count(value: number | null): string {
  return value === null ? '-' : String(value);
}

/** A count of at most four characters, where the width is limited; null for unknown. */
function short(value: number | null): string {
  if (value === null || value < 10_000) return count(value);
  return value < 1e6 ? `${Math.floor(value / 1_000)}k` : `${Math.floor(value / 1e6)}M`;
}

/** @param perSecond null for unknown */
function rate(perSecond: number | null): string {
  if (perSecond === null) return '-';
  return perSecond === 0 || perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(2);
}

/** Formats a duration. @param seconds null for unknown */
function time(seconds: number | null): string {
  if (seconds === null) return '-';
  if (seconds >= 10) return `${seconds.toFixed(0)} s`;
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  return `${(seconds * 1000).toFixed(seconds >= 0.1 ? 0 : 1)} ms`;
}

function age(seconds: number | null): string {
  if (seconds === null) return '-';
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

function megabytes(bytes: number | null): string {
  return bytes === null ? '-' : (bytes / 1e6).toFixed(0);
}
