import { type Finding, lint } from '../diagnostics/lint.ts';
import type { Command } from './command.ts';
import type { Console } from './console.ts';
import { counted, faultLines } from './show-fault.ts';
import { openStore, STORE_OPTIONS } from './store.ts';
import { UsageError } from './usage.ts';

const HELP = `Usage: hipache lint [options]

Checks all routes of the store and reports each problem with its fix: commands
for redis-cli, or what to change in the file.

  -c, --config FILE  the router's configuration, which names the store
      --driver URL   the store, instead of a configuration
      --json         print JSON
  -h, --help         print this help and exit

The exit code is 0 if there are no errors (notes do not count), 1 if there are
errors or the check failed, 2 on usage errors.
`;

/** `hipache lint`. */
export const command: Command = {
  help: HELP,
  options: STORE_OPTIONS.filter(({ name }) => name !== 'force'),

  async run({ args, console, configPath }) {
    if (args.words.length > 0) throw new UsageError(`unexpected argument "${args.words[0]}"`);
    const { editor } = openStore(args, configPath);
    try {
      const findings = lint(editor);
      return await (args.flags.has('json') ? printJson(console, findings) : print(console, findings));
    } finally {
      await editor.close();
    }
  },
};

/** Prints each finding when it is found, so that a large store shows its first ones at once. */
async function print(console: Console, findings: AsyncIterable<Finding>): Promise<number> {
  let errors = 0;
  let notes = 0;
  for await (const finding of findings) {
    if (finding.severity === 'error') errors++;
    else notes++;
    await console.write(`${faultLines(console, finding, finding.key).join('\n')}\n`);
  }
  await console.write(`${counted(errors, 'error')}, ${counted(notes, 'note')}\n`);
  return errors > 0 ? 1 : 0;
}

async function printJson(console: Console, findings: AsyncIterable<Finding>): Promise<number> {
  let errors = 0;
  let before = '{"findings":[\n';
  let isFirst = true;
  for await (const finding of findings) {
    if (finding.severity === 'error') errors++;
    await console.write(`${before}${JSON.stringify(finding)}`);
    before = ',\n';
    isFirst = false;
  }
  await console.write(isFirst ? '{"findings":[]}\n' : '\n]}\n');
  return errors > 0 ? 1 : 0;
}
