import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrontendSummary, SortKey } from '../../lib/admin/answers.ts';
import {
  countsOf,
  isShown,
  problemsOf,
  type RatesOf,
  readFrontend,
  sorted,
  summaryOf,
} from '../../lib/admin/frontend-summary.ts';
import type { BackendView, FrontendView } from '../../lib/diagnostics/explanation.ts';
import { fault } from '../../lib/diagnostics/fault.ts';

type State = BackendView['state'];

function frontend(key: string, states: readonly State[], faults: FrontendView['faults'] = []): FrontendView {
  const backends = states.map((state, id): BackendView => {
    return {
      id,
      url: `http://10.0.0.1:${id + 1}`,
      state,
      secondsLeft: null,
      trialInSeconds: null,
      markedBy: null,
      fault: null,
    };
  });
  return { key, name: `site-${key}`, backends, faults };
}

const rates: Readonly<Record<string, readonly [requests: number, errors: number, p99: number | null]>> = {
  'site-busy': [100, 0, 0.5],
  'site-failing': [10, 2, 0.1],
  'site-idle': [0, 0, null],
};

const ratesOf: RatesOf = (name) => {
  const found = rates[name];
  if (found === undefined) return null;
  const [requestsPerSecond, errorsPerSecond, p99] = found;
  return { requestsPerSecond, errorsPerSecond, p50: p99, p99 };
};

const BAD = fault('bad-url', 'backend 0: not a URL', 'LSET frontend:faulty 1 http://HOST:PORT');
const NOTE = fault('no-port', 'port 80 is used');
const views = [
  frontend('idle', ['alive'], [NOTE]),
  frontend('busy', ['alive', 'alive']),
  frontend('failing', ['alive', 'dead']),
  frontend('hurt', ['alive', 'dead', 'unusable']),
  frontend('faulty', ['alive'], [BAD, BAD]),
  frontend('dead', ['dead', 'dead']),
  frontend('empty', []),
];
const reads = views.map(readFrontend);
const summaries = reads.map((read) => summaryOf(read, ratesOf));
const keysOf = (list: readonly FrontendSummary[]): readonly string[] => list.map(({ key }) => key);

function shown(match: string, filter: Parameters<typeof isShown>[2]): readonly string[] {
  return keysOf(summaries.filter((each) => isShown(each, match, filter)));
}

test('the state of a frontend is the worst that is known of it; notes are none', () => {
  assert.deepEqual(Object.fromEntries(summaries.map(({ key, state }) => [key, state])), {
    idle: 'good',
    busy: 'good',
    failing: 'failing',
    hurt: 'degraded',
    faulty: 'faulty',
    dead: 'down',
    empty: 'down',
  });
  const hurt = summaries.find(({ key }) => key === 'hurt');
  assert.deepEqual([hurt?.backends, hurt?.alive, hurt?.dead, hurt?.unusable], [3, 1, 1, 1]);
  assert.deepEqual([hurt?.requestsPerSecond, hurt?.p99], [null, null], 'it has no metrics of its own');
});

test('backends on trial are neither alive nor dead; where none lives, they serve', () => {
  const [tried, last] = [frontend('a', ['alive', 'on-trial']), frontend('b', ['dead', 'on-trial'])].map((view) =>
    summaryOf(readFrontend(view), ratesOf),
  );
  assert.deepEqual([tried?.state, tried?.alive, tried?.dead, tried?.onTrial], ['degraded', 1, 0, 1]);
  assert.deepEqual([last?.state, last?.alive, last?.dead, last?.onTrial], ['degraded', 0, 1, 1]);
});

test('frontends are sorted by each column; what is unknown is last, and equal ones are in the order of keys', () => {
  const orders: Readonly<Record<SortKey, readonly string[]>> = {
    key: ['busy', 'dead', 'empty', 'failing', 'faulty', 'hurt', 'idle'],
    traffic: ['busy', 'failing', 'idle', 'dead', 'empty', 'faulty', 'hurt'],
    errors: ['failing', 'busy', 'idle', 'dead', 'empty', 'faulty', 'hurt'],
    latency: ['busy', 'failing', 'idle', 'dead', 'empty', 'faulty', 'hurt'],
    state: ['dead', 'empty', 'failing', 'hurt', 'faulty', 'busy', 'idle'],
  };
  for (const [by, order] of Object.entries(orders)) {
    assert.deepEqual(keysOf(sorted(summaries, by as SortKey)), order, by);
  }
});

test('frontends are filtered by state, and by a part of the key or the identifier', () => {
  assert.deepEqual(shown('', 'down'), ['dead', 'empty']);
  assert.deepEqual(shown('', 'bad'), ['failing', 'hurt', 'faulty', 'dead', 'empty']);
  assert.deepEqual(shown('ea', 'all'), ['dead']);
  assert.deepEqual(shown('site-b', 'all'), ['busy']);
  assert.equal(shown('', 'all').length, views.length);
});

test('counts are of all frontends', () => {
  assert.deepEqual(countsOf(summaries), {
    frontends: 7,
    down: 2,
    failing: 1,
    degraded: 1,
    faulty: 1,
    backends: 11,
    dead: 4,
  });
});

test('problems are those without a usable backend, then errors, then faults with their advice', () => {
  assert.deepEqual(
    problemsOf(reads, summaries).map(({ kind, frontend: key, text, advice }) => [kind, key, text, advice]),
    [
      ['all-dead', 'dead', '2 of 2 backends are marked dead', ''],
      ['all-dead', 'empty', 'it has no backend', ''],
      [
        'errors',
        'failing',
        '2.00 responses of 500 and above per second, 20.0 % of all, with the identifier "site-failing"',
        '',
      ],
      ['fault', 'faulty', 'bad-url: backend 0: not a URL', BAD.advice],
    ],
  );
});
