/** The charts of requests, errors and latency, each with its figure. */
import { fullChart } from './charts.ts';
import { make, type Part } from './elements.ts';
import { lastKnown, recentMean, type Series, sum } from './series.ts';
import { latency, rate } from './words.ts';

/** What the charts draw: values of the same seconds. */
export interface TrafficSeries {
  readonly requests: Series;
  readonly errors: Series;
  readonly p50: Series;
  readonly p99: Series;
}

/** @param prefix of the ids of elements. @param now epoch seconds: the second after the last value */
export function trafficCards(
  prefix: string,
  { requests, errors, p50, p99 }: TrafficSeries,
  now: number,
): readonly HTMLElement[] {
  return [
    card(
      'Requests',
      [figure(rate(recentMean(requests)), 'per second', `${prefix}requests-now`)],
      fullChart({
        id: `${prefix}requests`,
        title: 'Requests per second',
        lines: [{ label: 'requests', kind: 'requests', values: requests }],
        format: rate,
        minTop: 1,
        now,
      }),
    ),
    card(
      'Errors',
      [
        figure(rate(recentMean(errors)), 'per second', `${prefix}errors-now`),
        make('span', { class: 'aside' }, shareOf(sum(errors), sum(requests))),
      ],
      fullChart({
        id: `${prefix}errors`,
        title: 'Responses of 500 and above per second',
        lines: [{ label: 'errors', kind: 'errors', values: errors }],
        format: rate,
        minTop: 1,
        now,
      }),
    ),
    card(
      'Latency',
      [
        figure(latency(lastKnown(p50)), 'p50', `${prefix}p50-now`, 'p50'),
        figure(latency(lastKnown(p99)), 'p99', `${prefix}p99-now`, 'p99'),
      ],
      fullChart({
        id: `${prefix}latency`,
        title: 'Latency',
        lines: [
          { label: 'p50', kind: 'p50', values: p50 },
          { label: 'p99', kind: 'p99', values: p99 },
        ],
        format: latency,
        minTop: 0.001,
        isLogarithmic: true,
        now,
      }),
    ),
  ];
}

function shareOf(failed: number, all: number): string {
  if (failed === 0) return 'none';
  const share = all === 0 ? 0 : (failed / all) * 100;
  return `${share < 0.1 ? '< 0.1' : share.toFixed(1)} % of all`;
}

function card(title: string, figures: readonly Part[], chart: HTMLElement): HTMLElement {
  return make('section', { class: 'card' }, make('h3', {}, title), make('p', { class: 'figures' }, ...figures), chart);
}

/** @param kind the class of its line in the chart; null when there is one line alone */
function figure(value: string, unit: string, id: string, kind: string | null = null): HTMLElement {
  return make(
    'span',
    { class: 'figure' },
    make('strong', { id }, value),
    ' ',
    make('span', { class: kind === null ? 'unit' : `unit key ${kind}` }, unit),
  );
}
