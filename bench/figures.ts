/** Figures of runs, and what they come to: medians, and ratios to the runs of the reference beside them. Pure. */

/** What can be measured; the unit is in the name. */
export const METRICS = [
  'perSecond',
  'mbPerSecond',
  'cpuMicros',
  'redisMicros',
  'bothMicros',
  'redisCommands',
  'redisScripts',
  'p50Ms',
  'p99Ms',
  'maxMs',
  'p99TimesQuiet',
  'residentMB',
  'grownMB',
  'slopeMB',
  'connections',
  'bytesPerConnection',
  'errors',
] as const;

export type Metric = (typeof METRICS)[number];

/** What one run measured. What does not apply is left out. */
export type Figures = Readonly<Partial<Record<Metric, number>>>;

/** One run, between two of the reference. */
export interface Run {
  readonly own: Figures;
  /** The reference's run before, and the one after. */
  readonly beside: readonly [Figures, Figures];
}

/** What the runs of one row come to. */
export interface Summary {
  readonly median: Figures;
  /** The median of each run's figure divided by the mean of the two beside it. */
  readonly ratios: Figures;
}

/** The middle one, or the mean of the middle two. @throws when there is none */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted[sorted.length % 2 === 0 ? middle - 1 : middle];
  if (upper === undefined || lower === undefined) throw new Error('no values');
  return (lower + upper) / 2;
}

/** Each metric that every one of the runs has. */
export function medians(runs: readonly Figures[]): Figures {
  const result: Partial<Record<Metric, number>> = {};
  for (const metric of METRICS) {
    const values = valuesOf(metric, runs);
    // One failure among many rounds must show.
    if (values.length > 0) result[metric] = metric === 'errors' ? Math.max(...values) : median(values);
  }
  return result;
}

export function summarize(runs: readonly Run[]): Summary {
  return { median: medians(runs.map(({ own }) => own)), ratios: medians(runs.map(ratiosOf)) };
}

/** Figures without a counterpart, or whose counterpart is 0, have no ratio; nor have errors. */
function ratiosOf({ own, beside }: Run): Figures {
  const result: Partial<Record<Metric, number>> = {};
  for (const metric of METRICS) {
    const [before = 0, after = 0] = valuesOf(metric, beside);
    const mean = (before + after) / 2;
    const value = own[metric];
    if (metric !== 'errors' && value !== undefined && mean > 0) result[metric] = value / mean;
  }
  return result;
}

/** One for each of the runs, or none at all. */
function valuesOf(metric: Metric, runs: readonly Figures[]): readonly number[] {
  const values = runs.flatMap((figures) => figures[metric] ?? []);
  return values.length === runs.length ? values : [];
}
