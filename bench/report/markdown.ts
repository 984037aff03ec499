/** A report as Markdown. Pure. */
import type { Metric } from '../figures.ts';
import { judge } from '../goals.ts';
import { attackTable } from './attack-table.ts';
import type { CaseReport, Machine, Report, Row } from './report.ts';
import { headingOf, ratioWritten, written } from './words.ts';

/** Beyond this share of the cores' time, others have disturbed a case. */
const DISTURBED = 0.1;

/** Everything. @param charts the folder of the charts, as a link from where the text will stand */
export function markdownOf(report: Report, charts: string): string {
  const sections = report.cases.map((each) => caseOf(each, charts));
  return [`${preambleOf(report)}\n`, goalsOf(report), ...sections].join('\n');
}

/** Who, when, on what, and what to think of it. */
export function preambleOf(report: Report): string {
  const { hipache, date, command, machine } = report;
  return `hipache ${hipache}, ${date.slice(0, 10)}, by \`${command}\`: ${inAll(report)}.

${machineOf(machine)}

Absolute figures are of that machine and that hour. The columns with × are ratios to the reference (the first row), which
ran right before and right after each run: those count.`;
}

/** How often and how long. */
export function inAll({ rounds, seconds }: Report): string {
  return `${seconds} s a run, ${rounds === 1 ? 'one round' : `medians of ${rounds} rounds`}`;
}

export function machineOf({ processor, cores, memoryGB, system, programs, loadBefore }: Machine): string {
  const versions = Object.entries(programs).map(([name, version]) => `${name} ${version}`);
  return `Machine: ${processor}, ${cores} cores, ${memoryGB.toFixed(0)} GB, ${system}; ${versions.join(', ')}. Load before: ${loadBefore.toFixed(2)}.`;
}

export function goalsOf(report: Report): string {
  const rows = judge(report).map(({ goal, value, isReached }) => {
    const { text, bound, metric, against } = goal;
    const write = (number: number): string => (against === null ? written(metric, number) : ratioWritten(number));
    const wanted = 'atMost' in bound ? `≤ ${write(bound.atMost)}` : `≥ ${write(bound.atLeast)}`;
    if (value === null) return [text, wanted, '–', 'not measured'];
    return [text, wanted, write(value), isReached ? 'yes' : 'no'];
  });
  return `## Goals\n\n${table(['figure', 'goal', 'measured', 'reached'], rows)}\n`;
}

function caseOf(report: CaseReport, charts: string): string {
  const { name, title, note, cores, skipped, others } = report;
  const remarks = [
    note,
    `Cores: ${cores}.`,
    disturbanceOf(others),
    ...skipped.map(({ label, why }) => `Left out: ${label} (${why.replaceAll('|', '/')}).`),
  ].filter((remark) => remark !== null);
  return `## ${title}

\`--only ${name}\`

${tableOf(report)}

![${title}](${charts}/${name}.svg)

${remarks.map((remark) => `- ${remark}`).join('\n')}
`;
}

/** What to think of a case during which others worked too; null when they did not. */
export function disturbanceOf(others: number | null): string | null {
  if (others === null || others <= DISTURBED) return null;
  return `Others had ${(others * 100).toFixed(0)} % of these cores’ time meanwhile: a trial, not a result.`;
}

/** The table of a case. */
export function tableOf({ columns, ratios, rows }: Pick<CaseReport, 'columns' | 'ratios' | 'rows'>): string {
  if (rows.some(({ attack }) => attack !== undefined)) return tableOfLines(attackTable(rows));
  // Failures are shown where there are some.
  const shown: readonly Metric[] = rows.some(({ summary }) => (summary.median.errors ?? 0) > 0)
    ? [...columns, 'errors']
    : columns;
  const heads = ['', ...shown.map(headingOf), ...ratios.map((metric) => `${headingOf(metric)} ×`)];
  const cells = ({ label, summary: { median, ratios: found } }: Row): readonly string[] => [
    label,
    ...shown.map((metric) => written(metric, median[metric])),
    ...ratios.map((metric) => ratioWritten(found[metric])),
  ];
  return table(heads, rows.map(cells));
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = heads.map((_, at) => (at === 0 ? '---' : '--:'));
  return [heads, rule, ...rows].map(lineOf).join('\n');
}

function tableOfLines([heads = [], ...rows]: readonly (readonly string[])[]): string {
  return table(heads, rows);
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
