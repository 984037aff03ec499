/** What a benchmark found, as it is written to `results.json`. */
import type { Metric, Run, Summary } from '../figures.ts';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly system: string;
  /** Programs and their versions. */
  readonly programs: Readonly<Record<string, string>>;
  /** Processes that wanted to run, on average over the minute before. */
  readonly loadBefore: number;
}

export interface Row {
  readonly label: string;
  readonly isReference: boolean;
  readonly summary: Summary;
  /** Of the reference, each run that stood beside one of the others. Those of attacks stand beside the same system without one. */
  readonly runs: readonly Run[];
  /** In a case with attacks: which of them, and which system it hit. */
  readonly attack?: string;
  readonly system?: string;
}

/** The label of the row of a system under an attack. */
export const attackedLabel = (attack: string, system: string): string => `${attack}: ${system}`;

export interface Skipped {
  readonly label: string;
  readonly why: string;
}

export interface CaseReport {
  readonly name: string;
  readonly title: string;
  readonly note: string | null;
  readonly cores: string;
  readonly columns: readonly Metric[];
  readonly ratios: readonly [Metric, ...Metric[]];
  readonly rows: readonly Row[];
  readonly skipped: readonly Skipped[];
  /** How much of the cores' time went to others than the benchmark, 0 to 1; null where it cannot be told. */
  readonly others: number | null;
}

export interface Report {
  readonly hipache: string;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly command: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly machine: Machine;
  readonly cases: readonly CaseReport[];
}
