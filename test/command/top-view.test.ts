import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Console } from '../../lib/command/console.ts';
import { topLines, type TopView } from '../../lib/command/top-view.ts';
import type { TopState } from '../../lib/command/top-keys.ts';

const CONSOLE: Console = {
  write: () => Promise.resolve(),
  complain: () => {},
  isTerminal: true,
  hasColor: false,
  env: {},
};
const STATE: TopState = { sort: 'traffic', match: '', from: 0, typed: null };

const ofKey = (key: string): object => ({
  key,
  name: 'site',
  state: 'degraded',
  backends: 12,
  dead: 10,
  requestsPerSecond: 123_456.7,
  errorsPerSecond: 12_345.6,
  p50: 0.1234,
  p99: 12.34,
});

function viewOf(frontends: number, workers: number): TopView {
  const worker = {
    pid: 4_194_304,
    generation: 12,
    state: 'draining',
    upSeconds: 100_000,
    residentBytes: 1e10,
    connections: 100_000,
    exchanges: 100_000,
    tunnels: 100_000,
    loopDelay: { p99: 1.234 },
  };
  return {
    live: {
      version: '10.10.10',
      total: { requests: [123_456], errors: [12_345], p50: [0.1234], p99: [12.34] },
      connections: 100_000,
      exchanges: 100_000,
      tunnels: 100_000,
      store: { name: 'redis://127.0.0.1:6379', isUp: true },
      ready: { isReady: true, isDegraded: false, reasons: [] },
    },
    workers: { master: worker, workers: Array.from({ length: workers }, () => worker) },
    summary: {
      found: frontends,
      problems: [{ frontend: 'a.test', text: 'its backend is marked dead' }, {}],
      moreProblems: 3,
      frontends: Array.from({ length: frontends }, (_, i) => ofKey(`${i}.${'long.'.repeat(20)}test`)),
    },
  };
}

/** The last line, in a state. */
function foot(state: Partial<TopState>): string {
  const { lines } = topLines(CONSOLE, viewOf(1, 1), { rows: 24, columns: 80 }, 'traffic', { ...STATE, ...state });
  return lines.at(-1) ?? '';
}

test('it fits 80 x 24, with many frontends and workers, long names and large numbers', () => {
  for (const [frontends, workers] of [
    [0, 0],
    [3, 2],
    [2_000, 2],
    [2_000, 64],
  ] as const) {
    const { lines, room } = topLines(CONSOLE, viewOf(frontends, workers), { rows: 24, columns: 80 }, 'traffic', STATE);
    assert.ok(lines.length <= 23, `${lines.length} lines`);
    for (const line of lines) assert.ok(line.length <= 80, `${line.length}: ${line}`);
    assert.equal(lines.filter((line) => line.includes('long.')).length, Math.min(frontends, room));
    assert.match(lines.at(-1) ?? '', /q quit$/);
  }
});

test('the column that is sorted by has a sign; workers that do not fit are counted', () => {
  const { lines } = topLines(CONSOLE, viewOf(5, 64), { rows: 24, columns: 80 }, 'errors', STATE);
  assert.ok(
    lines.some((line) => /^FRONTEND +STATE +DEAD +REQ\/S +ERR\/S\* +P50 +P99$/.test(line)),
    lines.join('\n'),
  );
  assert.ok(lines.includes('and 59 more workers'), lines.join('\n'));
  assert.ok(lines.includes('5 problems; a.test: its backend is marked dead'));
});

test('a name that is cut ends with a dot, and a wide terminal shows it whole', () => {
  const narrow = topLines(CONSOLE, viewOf(1, 1), { rows: 24, columns: 80 }, 'traffic', STATE);
  assert.ok(
    narrow.lines.some((line) => /^0\.long\.[long.]+\. {2}degraded {2}10\/12/.test(line)),
    narrow.lines.join('\n'),
  );
  const wide = topLines(CONSOLE, viewOf(1, 1), { rows: 24, columns: 300 }, 'traffic', STATE);
  assert.ok(wide.lines.some((line) => line.startsWith(`0.${'long.'.repeat(20)}test  degraded`)));
});

test('the filter is shown while it is typed and while it holds', () => {
  assert.match(foot({ typed: 'ab\u001B', match: 'ab\u001B' }), /^filter: ab\\x1b_ {2}\(Enter/);
  assert.match(foot({ match: 'ab' }), /^filter: ab \(Esc ends it\)/);
});

test('a router of an older version shows the busiest identifiers', () => {
  const { live, workers } = viewOf(0, 1);
  const frontends = [
    { name: 'quiet', requests: [1], errors: [0] },
    { name: 'busy', requests: [9], errors: [1] },
  ];
  const view = { live: { ...Object(live), frontends }, workers, summary: null };
  const { lines, found } = topLines(CONSOLE, view, { rows: 24, columns: 80 }, 'traffic', null);
  assert.equal(found, 2);
  assert.deepEqual(
    lines.filter((line) => /^(?:busy|quiet)/.test(line)).map((line) => line.split(/ +/).slice(0, 5)),
    [
      ['busy', '-', '-', '9', '1'],
      ['quiet', '-', '-', '1', '0'],
    ],
  );
});
