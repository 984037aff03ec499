/** Writes a report, and reads it again: `results.json`, `results.md` and a chart for each case. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownOf } from './markdown.ts';
import type { Report } from './report.ts';
import { chartOf } from './svg.ts';

export function writeReport(report: Report, folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(join(folder, 'results.md'), `# Benchmark\n\n${markdownOf(report, '.')}`);
  for (const each of report.cases) writeFileSync(join(folder, `${each.name}.svg`), chartOf(each));
}

/** The last one in a folder. @throws when there is none */
export function readReport(folder: string): Report {
  return JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as Report;
}
