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
  /** Epoch seconds: the second after the last value. */
  readonly now: number;
}

/** Which chart the pointer is on, and where: from 0, its left edge, to 1. */
let pointer: { readonly id: string; readonly share: number } | null = null;

/** The first number at or above a positive value that is easy to read on an axis: 1, 2 or 5 with zeros. */
export function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power;
}

/** The path of a series, with a gap where values are missing. */
export function outline(values: Series, top: number, height: number): string {
  let path = '';
  let isDrawing = false;
  for (const [i, value] of values.entries()) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const x = values.length === 1 ? WIDTH : (i / (values.length - 1)) * WIDTH;
    const y = height - Math.min(1, value / top) * height;
    // A value between gaps is a dot: a line without length, with round ends.
    path += isDrawing ? `L${x.toFixed(1)} ${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}h0`;
    isDrawing = true;
  }
  return path;
}

/** The area under a series; empty when it has gaps. */
function area(values: Series, top: number, height: number): string {
  if (values.length < 2 || values.includes(null)) return '';
  return `${outline(values, top, height)}L${WIDTH} ${height}L0 ${height}Z`;
}

/** A chart with lines, scale, legend, and the values under the pointer. */
export function fullChart({ id, title, lines, format, minTop, now }: Chart): HTMLElement {
  const top = ceiling(Math.max(minTop, ...lines.map(({ values }) => largest(values))));
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
    ...[0, 0.5, 1].map((share) => draw('path', { class: 'grid', d: `M0 ${share * HEIGHT}H${WIDTH}` })),
    ...lines
      .slice(0, 1)
      .map(({ kind, values }) => draw('path', { class: `area ${kind}`, d: area(values, top, HEIGHT) })),
    ...lines.map(({ kind, values }) => draw('path', { class: `line ${kind}`, d: outline(values, top, HEIGHT) })),
    draw('path', { class: 'pointer', d: index === null ? '' : `M${x.toFixed(1)} 0V${HEIGHT}` }),
  );
  return make(
    'figure',
    { class: 'chart' },
    make('span', { class: 'scale', 'aria-hidden': 'true' }, `scale to ${format(top)}`),
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
  const top = Math.max(1, largest(requests));
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
    draw('path', { class: 'area requests', d: area(requests, top, SPARKLINE_HEIGHT) }),
    draw('path', { class: 'line requests', d: outline(requests, top, SPARKLINE_HEIGHT) }),
    draw('path', { class: 'line errors', d: outline(someErrors, top, SPARKLINE_HEIGHT) }),
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
