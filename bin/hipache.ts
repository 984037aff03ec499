#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type DryOutput, HELP, readArguments, usageAdvice } from '../lib/config/arguments.ts';
import { ConfigError } from '../lib/config/faults.ts';
import { loadConfig, readConfig } from '../lib/config/load.ts';
import { isClone, packageConfigFolder } from '../lib/config/package.ts';
import { version } from '../lib/core/version.ts';

/** The configuration that the service files name. */
const SYSTEM_CONFIG = '/etc/hipache.json';

const command = readArguments(process.argv.slice(2), process.env, {
  packaged: packageConfigFolder,
  isClone,
  system: existsSync(SYSTEM_CONFIG) ? SYSTEM_CONFIG : null,
});

switch (command.action) {
  case 'help':
    print(HELP);
    break;
  case 'version':
    print(`${version}\n`);
    break;
  case 'refuse':
    complain(`hipache: ${usageAdvice(command.reason)}`);
    process.exitCode = 2;
    break;
  case 'command': {
    const { name, argv, path } = command;
    const { runCommand } = await import('../lib/command/run.ts');
    process.exitCode = await runCommand(name, argv, path);
    break;
  }
  case 'dry':
    process.exitCode = dry(resolve(command.path), command.output);
    break;
  case 'run':
    process.exitCode = await run(resolve(command.path));
    break;
}

/** Checks a configuration. Returns the exit code. */
function dry(path: string, output: DryOutput): number {
  try {
    const { document } = readConfig(path, { env: process.env, onDeprecation: complain });
    const json = `${JSON.stringify(document, null, 2)}\n`;
    if (output === 'text') print(`Configuration file looks ok. Here is the result:\n${json}`);
    else if (output === 'json') print(json);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (output === 'json') print(`${JSON.stringify(error, null, 2)}\n`);
    else for (const line of error.lines(path)) complain(line);
    return 1;
  }
}

/** Runs the router. Resolves to the exit code. */
async function run(path: string): Promise<number> {
  // Loaded here, because commands do not need it.
  const { runMaster } = await import('../lib/cluster/master/master.ts');
  // A deprecation warning that cannot be written must not end the router. Node emits or throws the error: see complain.
  process.stderr.on('error', () => {});
  try {
    return await runMaster({ path, load: () => loadConfig(path, { env: process.env, onDeprecation: complain }) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.lines(path)) complain(line);
    return 1;
  }
}

function print(text: string): void {
  // The reader may close the pipe, as in `hipache --dry | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  process.stdout.write(text);
}

function complain(line: string): void {
  try {
    process.stderr.write(`${line}\n`);
  } catch {
    // A full disk must not fail the command.
  }
}
