/** Formats the table of `hipache top` from responses of the admin API (docs/admin.md). Pure functions. */
import { type Console, clean, paint, Table } from './console.ts';

/** The JSON responses. The router may have another version. */
export interface TopView {
  readonly live: unknown;
  readonly workers: unknown;
}

/** @param rows the height of the terminal */
export function topLines(console: Console, { live, workers }: TopView, rows = Infinity): readonly string[] {
  const now = new Part(live);
  const total = now.part('total');
  const store = now.part('store');
  const ready = now.part('ready');
  const isUp = store.flag('isUp');
  const refused = now.texts('refused').map((text) => paint(console, 'red', clean(text)));
  const head = [
    [
      paint(console, 'bold', `hipache ${clean(now.text('version'))}`),
      `${clean(store.text('name'))} ${paint(console, isUp ? 'green' : 'red', isUp ? 'up' : 'DOWN')}`,
      readiness(console, ready),
    ].join('  '),
    [
      `requests/s ${count(total.last('requests'))}`,
      `errors/s ${count(total.last('errors'))}`,
      `p50 ${time(total.last('p50'))}`,
      `p99 ${time(total.last('p99'))}`,
      `connections ${count(now.number('connections'))}`,
      `exchanges ${count(now.number('exchanges'))}`,
      `tunnels ${count(now.number('tunnels'))}`,
    ].join('  '),
    ...refused,
    '',
  ];
  const processes = workerLines(new Part(workers));
  const room = Math.max(3, rows - head.length - processes.length - 3);
  return [...head, ...frontendLines(now).slice(0, room), '', ...processes];
}

function readiness(console: Console, ready: Part): string {
  const reasons = clean(ready.texts('reasons').join(', '));
  if (!ready.flag('isReady')) return paint(console, 'red', `NOT READY: ${reasons}`);
  return ready.flag('isDegraded') ? paint(console, 'yellow', `degraded: ${reasons}`) : 'ready';
}

function frontendLines(now: Part): readonly string[] {
  const rows = now
    .parts('frontends')
    .map((each) => ({
      requests: each.last('requests') ?? 0,
      row: [
        each.text('name'),
        count(each.last('requests')),
        count(each.last('errors')),
        time(each.last('p50')),
        time(each.last('p99')),
      ],
    }))
    .toSorted((a, b) => b.requests - a.requests);
  return new Table().lines([['FRONTEND', 'REQ/S', 'ERR/S', 'P50', 'P99'], ...rows.map(({ row }) => row)]);
}

function workerLines(answer: Part): readonly string[] {
  const master = answer.part('master');
  const rows = answer.parts('workers').map((each) => {
    const delay = each.part('loopDelay');
    return [
      count(each.number('pid')),
      each.text('state'),
      count(each.number('generation')),
      age(each.number('upSeconds')),
      megabytes(each.number('residentBytes')),
      count(each.number('connections')),
      count(each.number('exchanges')),
      count(each.number('tunnels')),
      time(delay.number('p99')),
    ];
  });
  const own = [
    count(master.number('pid')),
    'master',
    '-',
    age(master.number('upSeconds')),
    megabytes(master.number('residentBytes')),
  ];
  const heading = ['PID', 'STATE', 'GEN', 'UP', 'MB', 'CONN', 'EXCH', 'TUNNELS', 'LOOP P99'];
  return new Table().lines([heading, [...own, '-', '-', '-', '-'], ...rows]);
}

function count(value: number | null): string {
  return value === null ? '-' : String(value);
}

/** Formats a duration. @param seconds null for unknown */
function time(seconds: number | null): string {
  if (seconds === null) return '-';
  if (seconds >= 10) return `${seconds.toFixed(0)} s`;
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(seconds * 1000).toFixed(1)} ms`;
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

/** An object of a response. A missing member, or one of another type, counts as absent. */
class Part {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    this.#fields = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  }

  part(name: string): Part {
    return new Part(this.#fields[name]);
  }

  parts(name: string): readonly Part[] {
    return this.#list(name).map((each) => new Part(each));
  }

  text(name: string): string {
    const value = this.#fields[name];
    return typeof value === 'string' ? value : '-';
  }

  texts(name: string): readonly string[] {
    return this.#list(name).map(String);
  }

  flag(name: string): boolean {
    return this.#fields[name] === true;
  }

  number(name: string): number | null {
    const value = this.#fields[name];
    return typeof value === 'number' ? value : null;
  }

  /** The last value of a series: that of the last full second. */
  last(name: string): number | null {
    const value = this.#list(name).at(-1);
    return typeof value === 'number' ? value : null;
  }

  #list(name: string): readonly unknown[] {
    const value = this.#fields[name];
    return Array.isArray(value) ? value : [];
  }
}
