import type { Metric } from '../figures.ts';
import type { Attacks } from '../measure/attacks.ts';
import type { Measure } from '../measure/measure.ts';
import { attackedLabel } from '../report/report.ts';
import type { Peer } from '../peers/peer.ts';
import type { Tool } from '../tools.ts';

/** One question, and everyone who is asked. */
export interface Case {
  /** What `--only` calls it. */
  readonly name: string;
  readonly title: string;
  /** What a reader must know of it. */
  readonly note?: string;
  readonly measure: Measure | Attacks;
  /** Programs without which it cannot be measured, besides those that every case needs. */
  readonly needs?: readonly Tool[];
  /**
   * Runs before and after each run of the others; their figures are divided by its. With attacks it is one of the systems: each is
   * compared with itself.
   */
  readonly reference: Peer;
  readonly peers: readonly Peer[];
  /** What is shown, in this order. */
  readonly columns: readonly Metric[];
  /** What is shown as a ratio, too; the first is drawn. */
  readonly ratios: readonly [Metric, ...Metric[]];
}

export const COST_COLUMNS: readonly Metric[] = ['perSecond', 'cpuMicros', 'p50Ms', 'p99Ms', 'residentMB'];

/** The labels of the rows that it has when everyone takes part. */
export function rowLabels({ measure, reference, peers }: Case): readonly string[] {
  const systems = [reference, ...peers].map(({ label }) => label);
  if (!('attacks' in measure)) return systems;
  return measure.attacks.flatMap((attack) => systems.map((system) => attackedLabel(attack.label, system)));
}
