/** Draws series as lines in SVG, each with the same in words for screen readers. */
import { draw, make } from './elements.ts';
import { largest, type Series } from './series.ts';
import { clock, duration } from './words.ts';

const WIDTH = 300;
const HEIGHT = 64;
const SPARKLINE_HEIGHT = 24;

interface Chart {
  readonly id: string;
  /** For screen readers. */
  readonly title: string;
  /** `kind`: the class that has the colour. */
  readonly lines: readonly { readonly label: string; readonly kind: string; readonly values: Series }[];
  readonly format: (value: number | null) => string;
  /** The least value for the top of the chart. */
  readonly minTop: number;
  /** Whether each power of ten is as high as the next: a p99 may be a hundred times the p50. */
  readonly isLogarithmic?: boolean;
  /** Epoch seconds: the second after the last value. */
  readonly now: number;
}

/** Which chart the pointer is on, and where: from 0, its left edge, to 1. */
let pointer: { readonly id: string; readonly share: number } | null = null;

/** The first number at or above a positive value that is easy to read on an axis: 1, 2 or 5 with zeros. */
export function ceiling(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((step) => step * unit >= value) ?? 10) * unit;
}

/** From a value to its height in a chart: 0, the bottom, to 1. */
export type Scale = (value: number) => number;

export function linear(top: number): Scale {
  return (value) => Math.min(1, value / top);
}

/** A scale with whole powers of ten at its ends, at least one between them. What is below is at the bottom. */
export interface LogarithmicScale {
  readonly bottom: number;
  readonly top: number;
  readonly decades: number;
  readonly scale: Scale;
}

/** The power of ten that a value is. Rounded: the logarithm of 0.001 is a little more than -3. */
function power(value: number): number {
  return Math.round(Math.log10(value) * 1e9) / 1e9;
}

/** @param smallest of the values, positive; 0 when there is none */
export function logarithmic(smallest: number, most: number): LogarithmicScale {
  const to = Math.ceil(power(most));
  const from = Math.min(to - 1, smallest > 0 ? Math.floor(power(smallest)) : to - 1);
  const decades = to - from;
  return {
    bottom: 10 ** from,
    top: 10 ** to,
    decades,
    scale: (value) => (value <= 0 ? 0 : Math.min(1, Math.max(0, (power(value) - from) / decades))),
  };
}

/** The path of a series, with a gap where values are missing. */
export function outline(values: Series, scale: Scale, height: number): string {
  let path = '';
  let isDrawing = false;
  for (const [i, value] of values.entries()) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const x = values.length === 1 ? WIDTH : (i / (values.length - 1)) * WIDTH;
    const y = height - scale(value) * height;
    // A value between gaps is a dot: a line without length, with round ends.
    path += isDrawing ? `L${x.toFixed(1)} ${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}h0`;
    isDrawing = true;
  }
  return path;
}

/** The area under a series; empty when it has gaps. */
function area(values: Series, scale: Scale, height: number): string {
  if (values.length < 2 || values.includes(null)) return '';
  return `${outline(values, scale, height)}L${WIDTH} ${height}L0 ${height}Z`;
}

/** The scale of a chart, the heights of its lines of the grid, and its text. */
function scaleOf({ lines, minTop, format, isLogarithmic = false }: Chart): {
  readonly scale: Scale;
  readonly grid: readonly number[];
  readonly text: string;
} {
  const most = Math.max(minTop, ...lines.map(({ values }) => largest(values)));
  if (!isLogarithmic) {
    const top = ceiling(most);
    return { scale: linear(top), grid: [0, 0.5, 1], text: `scale to ${format(top)}` };
  }
  const { scale, bottom, top, decades } = logarithmic(smallestOf(lines.flatMap(({ values }) => values)), most);
  const grid = Array.from({ length: decades + 1 }, (_, i) => i / decades);
  return { scale, grid, text: `log scale, ${format(bottom)} to ${format(top)}` };
}

function smallestOf(values: Series): number {
  let least = Infinity;
  for (const value of values) if (value !== null && value > 0 && value < least) least = value;
  return least === Infinity ? 0 : least;
}

/** A chart with lines, scale, legend, and the values under the pointer. */
export function fullChart(chart: Chart): HTMLElement {
  const { id, title, lines, format, now } = chart;
  const { scale, grid, text } = scaleOf(chart);
  const length = lines[0]?.values.length ?? 0;
  const index = pointer?.id === id && length > 0 ? Math.round(pointer.share * (length - 1)) : null;
  const x = index === null ? 0 : (index / Math.max(1, length - 1)) * WIDTH;
  const summary = lines.map(
    ({ label, values }) => `${label}: now ${format(values.at(-1) ?? null)}, at most ${format(largest(values))}`,
  );
  const svg = draw(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': `${title}, last ${duration(length)}. ${summary.join('. ')}.`,
      'data-chart': id,
    },
    ...grid.map((share) => draw('path', { class: 'grid', d: `M0 ${share * HEIGHT}H${WIDTH}` })),
    ...lines
      .slice(0, 1)
      .map(({ kind, values }) => draw('path', { class: `area ${kind}`, d: area(values, scale, HEIGHT) })),
    ...lines.map(({ kind, values }) => draw('path', { class: `line ${kind}`, d: outline(values, scale, HEIGHT) })),
    draw('path', { class: 'pointer', d: index === null ? '' : `M${x.toFixed(1)} 0V${HEIGHT}` }),
  );
  return make(
    'figure',
    { class: 'chart' },
    make('span', { class: 'scale', 'aria-hidden': 'true' }, text),
    svg,
    make('figcaption', { 'aria-hidden': 'true' }, ...(index === null ? timeAxis(length) : [readout(index)])),
  );

  function readout(second: number): HTMLElement {
    const values = lines.map((line) => `${line.label} ${format(line.values[second] ?? null)}`);
    const time = clock((now - length + second) * 1000);
    return make('span', { class: 'readout' }, `${time}: ${values.join(', ')}`);
  }
}

function timeAxis(seconds: number): readonly HTMLElement[] {
  return [make('span', {}, seconds > 1 ? `${duration(seconds)} ago` : ''), make('span', {}, 'now')];
}

/** A chart as high as a line of text, for a table. */
export function sparkline(title: string, requests: Series, errors: Series): SVGElement {
  const scale = linear(Math.max(1, largest(requests)));
  // Seconds without errors are left out: no line along the bottom.
  const someErrors = errors.map((value) => (value === 0 ? null : value));
  return draw(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${WIDTH} ${SPARKLINE_HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': title,
    },
    draw('path', { class: 'area requests', d: area(requests, scale, SPARKLINE_HEIGHT) }),
    draw('path', { class: 'line requests', d: outline(requests, scale, SPARKLINE_HEIGHT) }),
    draw('path', { class: 'line errors', d: outline(someErrors, scale, SPARKLINE_HEIGHT) }),
  );
}

/** Follows the pointer over the charts in an element. */
export function followPointer(element: HTMLElement, redraw: () => void): void {
  element.addEventListener('pointermove', ({ target, clientX }) => {
    const svg = target instanceof Element ? target.closest('svg[data-chart]') : null;
    if (svg === null) return leave();
    const { left, width } = svg.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (clientX - left) / Math.max(1, width)));
    pointer = { id: svg.getAttribute('data-chart') ?? '', share };
    redraw();
  });
  element.addEventListener('pointerleave', leave);

  function leave(): void {
    if (pointer === null) return;
    pointer = null;
    redraw();
  }
}
