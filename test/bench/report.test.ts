/** What the benchmark makes of its runs: medians, ratios, goals, tables, charts. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cases } from '../../bench/cases/all.ts';
import { rowLabels } from '../../bench/cases/case.ts';
import { median, medians, summarize, type Figures, type Run } from '../../bench/figures.ts';
import { GOALS, judge, type Goal } from '../../bench/goals.ts';
import { markdownOf, tableOf } from '../../bench/report/markdown.ts';
import { headline, PLACES, placed } from '../../bench/report/publish.ts';
import type { CaseReport, Report, Row } from '../../bench/report/report.ts';
import { chartOf } from '../../bench/report/svg.ts';
import { packageRoot } from '../../lib/config/package.ts';
import { rowsOf } from '../support/markdown.ts';

const run = (own: number, before: number, after: number): Run => ({
  own: { cpuMicros: own },
  beside: [{ cpuMicros: before }, { cpuMicros: after }],
});

const rowOf = (label: string, runs: readonly Run[]) => ({
  label,
  isReference: label === 'nginx',
  summary: summarize(runs),
  runs,
});

const small: CaseReport = {
  name: 'small',
  title: 'Answers <small> & quick',
  note: 'A note.',
  cores: 'all of them',
  columns: ['perSecond', 'cpuMicros'],
  ratios: ['cpuMicros'],
  rows: [rowOf('nginx', [run(20, 20, 20)]), rowOf('hipache, push cache', [run(24, 20, 20), run(26, 19, 21)])],
  skipped: [{ label: 'h2o', why: 'a | b' }],
  others: 0.4,
};

const report: Report = {
  hipache: '1.0.0',
  date: '2026-01-02T03:04:05.000Z',
  command: 'npm run bench',
  rounds: 3,
  seconds: 4,
  machine: {
    processor: 'A processor',
    cores: 2,
    memoryGB: 4,
    system: 'A system',
    programs: { nginx: '1.2.3' },
    loadBefore: 0.5,
  },
  cases: [small],
};

const goal = (bound: Goal['bound'], row = 'hipache, push cache'): Goal => ({
  text: '',
  inCase: 'small',
  row,
  against: 'nginx',
  metric: 'cpuMicros',
  bound,
});

test('a median is the middle one, or between the middle two', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 2, 9]), 3);
  assert.throws(() => median([]));
});

test('each run is divided by the mean of the two beside it, then comes the median', () => {
  const { ratios, median: own } = summarize([run(40, 10, 30), run(30, 10, 10), run(100, 10, 10)]);
  assert.equal(ratios.cpuMicros, 3);
  assert.equal(own.cpuMicros, 40);
});

test('what the reference does not have, or has as 0, gives no ratio', () => {
  const { ratios } = summarize([
    { own: { redisMicros: 5, p99Ms: 3 }, beside: [{ redisMicros: 0 }, { redisMicros: 0 }] },
  ]);
  assert.deepEqual(ratios, {});
});

test('the worst round tells the errors', () => {
  assert.deepEqual(medians([{ errors: 0 }, { errors: 7 }, { errors: 0 }]), { errors: 7 });
});

test('a goal is judged by the ratios of two rows to the same reference', () => {
  const verdicts = judge(report, [goal({ atMost: 1.25 }), goal({ atLeast: 1.5 }), goal({ atMost: 9 }, 'nobody')]);
  assert.deepEqual(
    verdicts.map(({ value, isReached }) => [value, isReached]),
    [
      [1.25, true],
      [1.25, false],
      [null, false],
    ],
  );
});

test('every goal names a case and rows that there are', () => {
  for (const { inCase, row, against } of GOALS) {
    const found = cases.find(({ name }) => name === inCase) ?? assert.fail(`no case ${inCase}`);
    const labels = new Set(rowLabels(found));
    for (const label of [row, against ?? row]) assert.ok(labels.has(label), `${inCase} has no ${label}`);
  }
});

test('no two cases, and no two rows of a case, have one name', () => {
  const names = cases.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const each of cases) {
    const labels = rowLabels(each);
    assert.equal(new Set(labels).size, labels.length, each.name);
  }
});

test('a table has a row for each, and a column of ratios', () => {
  const rows = rowsOf(tableOf(small), '');
  assert.deepEqual(rows.slice(-2), [
    ['nginx', '–', '20.0', '1.00 ×'],
    ['hipache, push cache', '–', '25.0', '1.25 ×'],
  ]);
  assert.doesNotMatch(tableOf(small), /errors/);
});

test('errors get a column when there are some', () => {
  const bad = rowOf('bad', [{ own: { cpuMicros: 1, errors: 3 }, beside: [{}, {}] }]);
  assert.match(tableOf({ ...small, rows: [...small.rows, bad] }), /\| errors \|/);
});

function attacked(attack: string, system: string, own: Figures): Row {
  const runs: readonly Run[] = [{ own, beside: [{ p99Ms: 1 }, { p99Ms: 1 }] }];
  return { label: `${attack}: ${system}`, isReference: false, summary: summarize(runs), runs, attack, system };
}

test('a case with attacks has a row for each attack, and a column for each system', () => {
  const under = { ...small, name: 'neighbours', ratios: ['p99Ms'] as const };
  const rows = [
    attacked('flood', 'nginx', { p99Ms: 2, p99TimesQuiet: 2, errors: 1, grownMB: -3.2 }),
    attacked('flood', 'hipache', { p99Ms: 1.25, p99TimesQuiet: 1.25, errors: 0, grownMB: 8 }),
    attacked('hang', 'hipache', { p99Ms: 1, p99TimesQuiet: 1, errors: 0, grownMB: 0, slopeMB: -1.25 }),
  ];
  assert.deepEqual(rowsOf(tableOf({ ...under, rows }), 'p99 ms, × without the attack, errors, RSS growth'), [
    ['flood', '2.00, 2.00 ×, 1, −3 MB', '1.25, 1.25 ×, 0, +8 MB'],
    ['hang', '–', '1.00, 1.00 ×, 0, +0 MB, −1.3 MB/min'],
  ]);
  assert.match(chartOf({ ...under, rows }), /as a ratio to the same system without an attack/);
  assert.match(headline({ ...report, cases: [small, { ...under, rows }] }), /\| hang \|/);
});

test('the text says what was left out, what disturbed it, and that only ratios count', () => {
  const text = markdownOf(report, 'charts');
  assert.match(text, /Left out: h2o \(a \/ b\)\./);
  assert.match(text, /Others had 40 %/);
  assert.match(text, /are ratios to the reference/);
  assert.match(text, /!\[[^\]]*\]\(charts\/small\.svg\)/);
  assert.match(text, /\| not measured \|/);
});

test('a chart has a bar for each row, and texts that are escaped', () => {
  const chart = chartOf(small);
  assert.equal(chart.match(/<rect /g)?.length, 2);
  assert.match(chart, /Answers &lt;small> &amp; quick/);
  assert.match(chart, /1\.25 ×/);
  assert.doesNotMatch(chart, /NaN|undefined/);
});

test('figures take the marked place of a document, again and again', () => {
  const document = readFileSync(join(packageRoot, 'README.md'), 'utf8');
  const once = placed(document, headline(report));
  assert.match(once, /\| hipache, push cache \|/);
  assert.equal(placed(once, headline(report)), once);
  assert.throws(() => placed('no place', 'figures'), /no place/);
});

const RESULTS = join(packageRoot, 'bench/results/results.json');

test('the documents show the newest results', { skip: existsSync(RESULTS) ? false : 'none are published yet' }, () => {
  const newest = JSON.parse(readFileSync(RESULTS, 'utf8')) as Report;
  for (const [name, textOf] of PLACES) {
    const document = readFileSync(join(packageRoot, name), 'utf8');
    assert.equal(placed(document, textOf(newest)), document, `npm run bench -- --publish writes ${name}`);
  }
});
