/** Puts the figures of a report into the documents, between two remarks that mark the place. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goalsOf, inAll, machineOf, markdownOf, tableOf } from './markdown.ts';
import type { Report } from './report.ts';
import { readReport } from './write.ts';

const BEGIN = '<!-- bench: this part is written by the benchmark, see docs/benchmarks.md -->';
const END = '<!-- bench: end -->';
/** The cases that README shows. */
const SHOWN = new Set(['small', 'neighbours']);

/** Documents, and what of the report each shows. */
export const PLACES: ReadonlyMap<string, (report: Report) => string> = new Map([
  ['README.md', headline],
  ['docs/benchmarks.md', (report) => markdownOf(report, '../bench/results').trimEnd()],
]);

/** The newest tables, for README. */
export function headline(report: Report): string {
  const shown = report.cases.filter(({ name }) => SHOWN.has(name));
  if (shown.length === 0) return goalsOf(report).trimEnd();
  const tables = shown.map(
    (each) => `${each.title}; ${report.date.slice(0, 10)}, ${inAll(report)}:\n\n${tableOf(each)}`,
  );
  return [...tables, machineOf(report.machine)].join('\n\n');
}

/** The document with the new text in its place. @throws when the place is not marked */
export function placed(document: string, text: string): string {
  const from = document.indexOf(BEGIN);
  const to = document.indexOf(END);
  if (from < 0 || to < from) throw new Error('the document has no place for figures');
  return `${document.slice(0, from)}${BEGIN}\n\n${text}\n\n${document.slice(to)}`;
}

/** @param root the folder of the project @param folder that of the report */
export function publish(root: string, folder: string): void {
  const report = readReport(folder);
  for (const [name, textOf] of PLACES) {
    const path = join(root, name);
    writeFileSync(path, placed(readFileSync(path, 'utf8'), textOf(report)));
  }
}
