import type { Metric } from '../figures.ts';
import type { Measure } from '../measure/measure.ts';
import type { Peer } from '../peers/peer.ts';
import type { Tool } from '../tools.ts';

/** One question, and everyone who is asked. */
export interface Case {
  /** What `--only` calls it. */
  readonly name: string;
  readonly title: string;
  /** What a reader must know of it. */
  readonly note?: string;
  readonly measure: Measure;
  /** Programs without which it cannot be measured, besides those that every case needs. */
  readonly needs?: readonly Tool[];
  /** Runs before and after each run of the others; their figures are divided by its. */
  readonly reference: Peer;
  readonly peers: readonly Peer[];
  /** What is shown, in this order. */
  readonly columns: readonly Metric[];
  /** What is shown as a ratio, too; the first is drawn. */
  readonly ratios: readonly [Metric, ...Metric[]];
}

export const COST_COLUMNS: readonly Metric[] = ['perSecond', 'cpuMicros', 'p50Ms', 'p99Ms', 'residentMB'];
