#!/usr/bin/env node
import { resolve } from 'node:path';
import { HELP, readArguments } from '../lib/config/arguments.ts';
import { ConfigError } from '../lib/config/faults.ts';
import { loadConfig, readConfig } from '../lib/config/load.ts';
import { packageConfigFolder } from '../lib/config/package.ts';
import { version } from '../lib/core/version.ts';

const command = readArguments(process.argv.slice(2), process.env, packageConfigFolder);

switch (command.action) {
  case 'help':
    process.stdout.write(HELP);
    break;
  case 'version':
    process.stdout.write(`${version}\n`);
    break;
  case 'refuse':
    complain(`hipache: ${command.reason}; "hipache --help" lists what it takes`);
    process.exitCode = 1;
    break;
  case 'command': {
    const { name, argv, path } = command;
    const { runCommand } = await import('../lib/command/run.ts');
    process.exitCode = await runCommand(name, argv, path);
    break;
  }
  case 'dry':
    process.exitCode = await orFaults(() => Promise.resolve(dry(resolve(command.path))));
    break;
  case 'run':
    process.exitCode = await orFaults(() => run(resolve(command.path)));
    break;
}

function dry(path: string): number {
  const { document } = readConfig(path, { onDeprecation: complain });
  process.stdout.write(`Configuration file looks ok. Here is the result:\n${JSON.stringify(document, null, 2)}\n`);
  return 0;
}

async function run(path: string): Promise<number> {
  // Commands are over before all of that would be loaded.
  const { runMaster } = await import('../lib/cluster/master.ts');
  // What older keys are called now is no reason to end for want of room on a disk. Node says it, or throws: see complain.
  process.stderr.on('error', () => {});
  return runMaster({ path, load: () => loadConfig(path, { onDeprecation: complain }) });
}

/** The exit code of some work; a configuration that cannot be used ends it with its faults, one a line. */
async function orFaults(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const fault of error.faults) complain(fault);
    return 1;
  }
}

function complain(line: string): void {
  try {
    process.stderr.write(`${line}\n`);
  } catch {
    // A disk that is full is no fault of the configuration.
  }
}
