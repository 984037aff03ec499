'use strict';
/* Lines over seconds, as SVG, each with the same in words. */

const WIDTH = 300;
const HEIGHT = 64;

/**
 * @typedef {object} Chart
 * @property {string} id
 * @property {string} title for those who do not see it
 * @property {readonly { label: string, kind: string, values: Series }[]} lines `kind` is a class that gives the colour
 * @property {(value: number | null) => string} words
 * @property {number} least what the top of the chart stands for at least
 * @property {number} now epoch seconds, one past the last value
 */

/** Where the pointer is on which chart: from 0, the left, to 1. @type {{ id: string, at: number } | null} */
let pointed = null;

/** @param {Series} values */
function largest(values) {
  let most = 0;
  for (const value of values) if (value !== null && value > most) most = value;
  return most;
}

/**
 * The outline of a series; where values are missing, the pen is lifted.
 * @param {Series} values
 * @param {number} top
 * @param {number} height
 */
function outline(values, top, height) {
  let path = '';
  let isDown = false;
  for (const [i, value] of values.entries()) {
    if (value === null) {
      isDown = false;
      continue;
    }
    const x = values.length === 1 ? WIDTH : (i / (values.length - 1)) * WIDTH;
    const y = height - Math.min(1, value / top) * height;
    // A value between gaps is a dot: a line without length, with round ends.
    path += isDown ? `L${x.toFixed(1)} ${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}h0`;
    isDown = true;
  }
  return path;
}

/**
 * The area under a series without gaps.
 * @param {Series} values
 * @param {number} top
 * @param {number} height
 */
function area(values, top, height) {
  if (values.length < 2 || values.includes(null)) return '';
  return `${outline(values, top, height)}L${WIDTH} ${height}L0 ${height}Z`;
}

/**
 * A chart in full: lines, scale, legend, and what the pointer is on.
 * @param {Chart} chart
 */
function fullChart({ id, title, lines, words, least, now }) {
  const top = ceiling(Math.max(least, ...lines.map(({ values }) => largest(values))));
  const length = lines[0]?.values.length ?? 0;
  const index = pointed?.id === id && length > 0 ? Math.round(pointed.at * (length - 1)) : null;
  const x = index === null ? 0 : (index / Math.max(1, length - 1)) * WIDTH;
  const summary = lines.map(
    ({ label, values }) => `${label}: now ${words(values.at(-1) ?? null)}, at most ${words(largest(values))}`,
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
  const at = index === null ? null : lines.map(({ label, values }) => `${label} ${words(values[index] ?? null)}`);
  return make(
    'figure',
    { class: 'chart' },
    make('span', { class: 'scale', 'aria-hidden': 'true' }, `scale to ${words(top)}`),
    svg,
    make(
      'figcaption',
      { 'aria-hidden': 'true' },
      ...(at === null || index === null
        ? [make('span', {}, length > 1 ? `${duration(length)} ago` : ''), make('span', {}, 'now')]
        : [make('span', { class: 'readout' }, `${clock((now - length + index) * 1000)}: ${at.join(', ')}`)]),
    ),
  );
}

/**
 * A line as high as text, for a table.
 * @param {string} title
 * @param {Series} requests
 * @param {Series} errors
 */
function sparkline(title, requests, errors) {
  const height = 24;
  const top = Math.max(1, largest(requests));
  // Where there is none, no line along the ground.
  const some = errors.map((value) => (value === 0 ? null : value));
  return draw(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${WIDTH} ${height}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': title,
    },
    draw('path', { class: 'area requests', d: area(requests, top, height) }),
    draw('path', { class: 'line requests', d: outline(requests, top, height) }),
    draw('path', { class: 'line errors', d: outline(some, top, height) }),
  );
}

/**
 * Follows the pointer over the charts in a place.
 * @param {HTMLElement} place
 * @param {() => void} redraw
 */
function followPointer(place, redraw) {
  place.addEventListener('pointermove', (event) => {
    const svg = event.target instanceof Element ? event.target.closest('svg[data-chart]') : null;
    if (svg === null) return leave();
    const { left, width } = svg.getBoundingClientRect();
    const at = Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, width)));
    pointed = { id: svg.getAttribute('data-chart') ?? '', at };
    redraw();
  });
  place.addEventListener('pointerleave', leave);
  function leave() {
    if (pointed === null) return;
    pointed = null;
    redraw();
  }
}
