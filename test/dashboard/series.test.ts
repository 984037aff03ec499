/** How the dashboard joins the series of several responses, formats numbers, and draws lines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

type Series = readonly (number | null)[];
interface Functions {
  readonly joined: (older: Series, newer: Series, later: number) => Series;
  readonly duration: (seconds: number) => string;
  readonly latency: (seconds: number | null) => string;
  readonly rate: (value: number | null) => string;
  readonly ceiling: (value: number) => number;
  readonly linear: (top: number) => (value: number) => number;
  readonly logarithmic: (
    smallest: number,
    most: number,
  ) => {
    readonly bottom: number;
    readonly top: number;
    readonly decades: number;
    readonly scale: (value: number) => number;
  };
  readonly outline: (values: Series, scale: (value: number) => number, height: number) => string;
}

// As compiled: the sources use the types of browsers, which tests do not have.
const modules = ['words', 'series', 'charts'].map(
  (name) => import(new URL(`../../lib/dashboard/${name}.js`, import.meta.url).href),
);
const page = Object.assign({}, ...(await Promise.all(modules))) as Functions;
const { joined } = page;

test('a second that comes again replaces the one before, and the others stay', () => {
  assert.deepEqual(joined([1, 2, 3], [3, 4], 1), [1, 2, 3, 4]);
  assert.deepEqual(joined([1, 2, 3], [9], 0), [1, 2, 9]);
  assert.deepEqual(joined([1], [7, 8, 9], 1), [7, 8, 9]);
});

test('seconds that no response has are a gap', () => {
  assert.deepEqual(joined([1, 2], [5], 3), [1, 2, null, null, 5]);
});

test('another clock replaces what is known, and five minutes are kept', () => {
  assert.deepEqual(joined([1, 2], [5], -20), [5]);
  assert.deepEqual(joined([1, 2], [5], 300), [5]);
  const long = Array.from({ length: 300 }, (_, i) => i);
  assert.deepEqual(joined(long, [300], 1), [...long.slice(1), 300]);
});

test('numbers are short, and carry their unit', () => {
  assert.deepEqual([0.000_05, 0.0042, 0.042, 1.5, 12, null].map(page.latency), [
    '50 µs',
    '4.2 ms',
    '42 ms',
    '1.50 s',
    '12.0 s',
    '–',
  ]);
  assert.deepEqual([0, 0.03, 0.24, 9.9, 1234, null].map(page.rate), ['0', '< 0.1', '0.2', '9.9', '1,234', '–']);
  assert.deepEqual([0, 119, 300, 301, 7500, 200_000].map(page.duration), [
    '0 s',
    '119 s',
    '5 min',
    '5 min 1 s',
    '2 h 5 min',
    '2 d 7 h',
  ]);
  assert.deepEqual([0.001, 1, 1.1, 3, 7, 10, 420].map(page.ceiling), [0.001, 1, 2, 5, 10, 10, 500]);
});

test('a line has a gap where nothing was measured', () => {
  assert.equal(page.outline([1, null, 0, 2], page.linear(2), 10), 'M0.0 5.0h0M200.0 10.0h0L300.0 0.0');
});

test('a logarithmic scale ends at powers of ten, and gives each the same height', () => {
  const { bottom, top, decades, scale } = page.logarithmic(0.004, 0.31);
  assert.deepEqual([bottom, top, decades], [0.001, 1, 3]);
  assert.deepEqual(
    [0.001, 0.01, 0.1, 1].map((value) => Math.round(scale(value) * 300) / 100),
    [0, 1, 2, 3],
  );
  assert.deepEqual([0, -1, 0.0001, 50].map(scale), [0, 0, 0, 1]);
  const even = page.logarithmic(0.01, 0.01);
  assert.deepEqual([even.bottom, even.top], [0.001, 0.01]);
  const empty = page.logarithmic(0, 0.001);
  assert.deepEqual([empty.decades, empty.top], [1, 0.001]);
});
