import { resolve } from 'node:path';
import { ConfigError } from '../config/faults.ts';
import { type Command, CommandFailure } from './command.ts';
import { type Console, processConsole } from './console.ts';
import { type CommandName, usageAdvice } from '../config/arguments.ts';
import { readOptions, UsageError } from './usage.ts';
import { EditorError } from '../store/editor-error.ts';

/** Each command is loaded separately, and none by a serving router. */
const COMMANDS: Readonly<Record<CommandName, () => Promise<{ readonly command: Command }>>> = {
  route: () => import('./route.ts'),
  apply: () => import('./apply.ts'),
  export: () => import('./export.ts'),
  dead: () => import('./dead.ts'),
  lint: () => import('./lint.ts'),
  top: () => import('./top.ts'),
  health: () => import('./health.ts'),
  completion: () => import('./completion.ts'),
};

/**
 * Runs a command.
 * @param argv the arguments after its name
 * @param configPath the configuration to use when none is named; null if there is none
 * @returns the exit code: 0 success, 1 failure or faults found, 2 usage error
 */
export async function runCommand(
  name: CommandName,
  argv: readonly string[],
  configPath: string | null,
  console: Console = processConsole(),
): Promise<number> {
  const { command } = await COMMANDS[name]();
  let path = configPath;
  try {
    const args = readOptions(argv, command.options);
    path = args.values.get('config') ?? path;
    // `hipache route help`, as in other programs.
    if (args.flags.has('help') || args.words[0] === 'help') {
      await console.write(command.help);
      return 0;
    }
    return await command.run({ args, console, configPath });
  } catch (error) {
    if (error instanceof UsageError) {
      console.complain(usageAdvice(error.message, name));
      return 2;
    }
    if (!(error instanceof CommandFailure || error instanceof EditorError || error instanceof ConfigError)) throw error;
    if (argv.includes('--json')) await console.write(`${JSON.stringify(answerOf(error))}\n`);
    else for (const line of linesOf(error, path)) console.complain(line);
    return 1;
  }
}

/** An error as lines for people. @param path the configuration */
function linesOf(error: CommandFailure | EditorError | ConfigError, path: string | null): readonly string[] {
  if (!(error instanceof ConfigError)) return [error.message];
  return path === null ? error.faults : error.lines(resolve(path));
}

/** An error as JSON, for programs. */
function answerOf(error: CommandFailure | EditorError | ConfigError): object {
  if (error instanceof ConfigError) return error.toJSON();
  return { error: { code: error.code, message: error.message } };
}
