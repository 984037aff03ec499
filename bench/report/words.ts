/** How metrics are called, and how their values are written. */
import type { Metric } from '../figures.ts';

interface Words {
  readonly heading: string;
  readonly digits: number;
  readonly unit: string;
}

const WORDS: Readonly<Record<Metric, Words>> = {
  perSecond: { heading: 'per second', digits: 0, unit: '/s' },
  mbPerSecond: { heading: 'MB/s', digits: 0, unit: 'MB/s' },
  cpuMicros: { heading: 'CPU µs', digits: 1, unit: 'µs' },
  redisMicros: { heading: 'Redis CPU µs', digits: 1, unit: 'µs' },
  bothMicros: { heading: 'both µs', digits: 1, unit: 'µs' },
  redisCommands: { heading: 'Redis commands', digits: 2, unit: '' },
  redisScripts: { heading: 'Redis scripts', digits: 2, unit: '' },
  p50Ms: { heading: 'p50 ms', digits: 2, unit: 'ms' },
  p99Ms: { heading: 'p99 ms', digits: 2, unit: 'ms' },
  maxMs: { heading: 'max ms', digits: 2, unit: 'ms' },
  p99TimesQuiet: { heading: 'p99 without the attack ×', digits: 2, unit: '×' },
  residentMB: { heading: 'RSS MB', digits: 0, unit: 'MB' },
  connections: { heading: 'connections', digits: 0, unit: '' },
  grownMB: { heading: 'RSS growth MB', digits: 0, unit: 'MB' },
  slopeMB: { heading: 'RSS slope MB/min', digits: 1, unit: 'MB/min' },
  bytesPerConnection: { heading: 'bytes each', digits: 0, unit: 'bytes' },
  errors: { heading: 'errors', digits: 0, unit: '' },
};

export const headingOf = (metric: Metric): string => WORDS[metric].heading;
export const unitOf = (metric: Metric): string => WORDS[metric].unit;

/** A dash for what was not measured. */
export function written(metric: Metric, value: number | undefined): string {
  if (value === undefined) return '–';
  const { digits } = WORDS[metric];
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export const ratioWritten = (value: number | undefined): string =>
  value === undefined ? '–' : `${value.toFixed(2)} ×`;
