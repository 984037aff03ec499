import { ConfigError } from '../config/faults.ts';
import { BookError } from '../store/book.ts';
import { type Command, CommandFailure } from './command.ts';
import { type Console, processConsole } from './console.ts';
import type { CommandName } from '../config/arguments.ts';
import { readOptions, UsageError } from './usage.ts';

/** Each is loaded alone, and none by a router that serves. */
const COMMANDS: Readonly<Record<CommandName, () => Promise<{ readonly command: Command }>>> = {
  route: () => import('./route.ts'),
  lint: () => import('./lint.ts'),
  top: () => import('./top.ts'),
  completion: () => import('./completion.ts'),
};

/**
 * Runs a command.
 * @param argv what follows its name
 * @param configPath the configuration to take when none is named
 * @returns the exit code: 0 fine, 1 it failed or has found faults, 2 the arguments make no sense
 */
export async function runCommand(
  name: CommandName,
  argv: readonly string[],
  configPath: string,
  console: Console = processConsole(),
): Promise<number> {
  const { command } = await COMMANDS[name]();
  try {
    const args = readOptions(argv, command.options);
    if (args.flags.has('help')) {
      await console.write(command.help);
      return 0;
    }
    return await command.run({ args, console, configPath });
  } catch (error) {
    if (error instanceof UsageError) {
      console.complain(`${error.message}; "hipache ${name} --help" lists what it takes`);
      return 2;
    }
    const failures = failuresOf(error);
    if (failures === null) throw error;
    if (argv.includes('--json')) await console.write(`${JSON.stringify({ error: failures[0] })}\n`);
    else for (const { message } of failures) console.complain(message);
    return 1;
  }
}

interface Failure {
  readonly code: string;
  readonly message: string;
}

/** What an operator is to hear of; null for a mistake of ours. */
function failuresOf(error: unknown): readonly Failure[] | null {
  if (error instanceof CommandFailure || error instanceof BookError) {
    return [{ code: error.code, message: error.message }];
  }
  if (!(error instanceof ConfigError)) return null;
  return error.faults.map((message) => ({ code: 'bad-config', message }));
}
