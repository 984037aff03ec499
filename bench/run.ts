/** `npm run bench`: the router beside its peers. Exit code 1 when it could not be done, 130 when it was interrupted. */
import { join } from 'node:path';
import { packageRoot } from '../lib/config/package.ts';
import { version } from '../lib/core/version.ts';
import { commandOf, HELP, parseArguments, type Wanted } from './arguments.ts';
import { cases } from './cases/all.ts';
import type { Case } from './cases/case.ts';
import { describeMachine } from './machine.ts';
import { disturbanceOf, goalsOf, tableOf } from './report/markdown.ts';
import { publish } from './report/publish.ts';
import type { CaseReport, Report } from './report/report.ts';
import { readReport, writeReport } from './report/write.ts';
import { runCase } from './rounds.ts';
import { withScene } from './scene.ts';
import { advice, missing, NEEDED } from './tools.ts';

const args = process.argv.slice(2);

try {
  await act(parseArguments(args));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(message);
  process.exitCode = message === 'interrupted' ? 130 : 1;
}

async function act(wanted: Wanted): Promise<void> {
  const folder = wanted.out ?? join(packageRoot, 'bench/results');
  switch (wanted.action) {
    case 'help':
      console.log(HELP);
      return;
    case 'list':
      for (const each of chosen(wanted)) console.log(described(each));
      return;
    case 'publish':
      publish(packageRoot, folder);
      return;
    case 'measure':
      await measure(wanted, folder);
  }
}

async function measure(wanted: Wanted, folder: string): Promise<void> {
  const lacking = missing(NEEDED);
  if (lacking.length > 0) {
    const names = lacking.map(({ program }) => program).join(', ');
    throw new Error(`Nothing can be measured without ${names}. On Debian: ${advice(lacking)}`);
  }
  const list = chosen(wanted);
  const optional = missing(list.flatMap(({ peers }) => peers.flatMap(({ tools }) => tools)));
  if (optional.length > 0) console.log(`Some peers are missing. On Debian: ${advice(optional)}`);
  const { rounds, seconds } = wanted;
  const command = commandOf(args);
  const header = { hipache: version, date: new Date().toISOString(), command, rounds, seconds };
  const machine = describeMachine();
  const kept = wanted.keeps ? lastReport(folder, wanted) : null;
  const done: CaseReport[] = [];
  const report = (): Report => ({
    ...header,
    command: kept?.command ?? header.command,
    machine,
    cases: together(kept?.cases ?? [], done),
  });
  await withScene(async (scene) => {
    for (const each of list) {
      const without = missing(each.needs ?? []);
      if (without.length > 0) {
        console.log(`\n${each.name} cannot be measured. On Debian: ${advice(without)}`);
        continue;
      }
      console.log(`\n${each.name}: ${each.title}`);
      const result = await runCase(each, scene, wanted, console.log);
      done.push(result);
      console.log(`\n${tableOf(result)}\n${disturbanceOf(result.others) ?? ''}`);
      // Each as it is done: whoever interrupts the rest keeps it.
      writeReport(report(), folder);
    }
  });
  console.log(`\n${goalsOf(report())}\nWritten to ${folder}`);
}

/** @throws an Error for the user when there are none, or they were measured otherwise */
function lastReport(folder: string, { rounds, seconds }: Wanted): Report {
  const report = readReport(folder);
  if (report.rounds === rounds && report.seconds === seconds) return report;
  throw new Error(`The last results are of ${report.rounds} rounds of ${report.seconds} s: these would not be alike.`);
}

/** In the order of the list; a case that was measured anew takes the place of the old one. */
function together(old: readonly CaseReport[], fresh: readonly CaseReport[]): readonly CaseReport[] {
  const all = new Map([...old, ...fresh].map((each) => [each.name, each]));
  return cases.flatMap(({ name }) => all.get(name) ?? []);
}

function chosen({ only }: Wanted): readonly Case[] {
  const found = cases.filter(({ name }) => only.length === 0 || only.some((beginning) => name.startsWith(beginning)));
  if (found.length > 0) return found;
  throw new Error(`No case begins with ${only.join(' or ')}; --list names them.`);
}

function described({ name, title, reference, peers }: Case): string {
  return `${name}: ${title}\n  ${[reference, ...peers].map(({ label }) => label).join('\n  ')}`;
}
