/** The table of a case with attacks: a row for each attack, a column for each system. Pure. */
import type { Metric } from '../figures.ts';
import type { Row } from './report.ts';
import { ratioWritten, unitOf, written } from './words.ts';

const HEAD = 'p99 ms, × without the attack, errors, RSS growth';

/** @param rows of attacks. @returns the heads and the cells */
export function attackTable(rows: readonly Row[]): readonly (readonly string[])[] {
  const systems = [...new Set(rows.flatMap(({ system }) => system ?? []))];
  const attacks = [...new Set(rows.flatMap(({ attack }) => attack ?? []))];
  const find = (attack: string, system: string): Row | undefined =>
    rows.find((row) => row.attack === attack && row.system === system);
  const cells = (attack: string): readonly string[] => systems.map((system) => cellOf(find(attack, system)));
  return [[HEAD].concat(systems), ...attacks.map((attack) => [attack].concat(cells(attack)))];
}

function cellOf(row: Row | undefined): string {
  if (row === undefined) return '–';
  const { p99Ms, p99TimesQuiet, errors, grownMB, slopeMB } = row.summary.median;
  const cells = [written('p99Ms', p99Ms), ratioWritten(p99TimesQuiet), written('errors', errors)];
  if (grownMB !== undefined) cells.push(signed('grownMB', grownMB));
  if (slopeMB !== undefined) cells.push(signed('slopeMB', slopeMB));
  return cells.join(', ');
}

function signed(metric: Metric, value: number): string {
  return `${value < 0 ? '−' : '+'}${written(metric, Math.abs(value))} ${unitOf(metric)}`;
}
