import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nearest } from './nearest.ts';

/** The command line. */

export type Command =
  /** `path` is the configuration file, as given: relative to the working directory. */
  | { readonly action: 'run' | 'dry'; readonly path: string }
  | { readonly action: 'help' | 'version' }
  /** Something else than to serve. `argv`: what follows its name; `path`: the configuration when that names none. */
  | { readonly action: 'command'; readonly name: CommandName; readonly argv: readonly string[]; readonly path: string }
  /** The arguments make no sense; `reason` is for the one who typed them. */
  | { readonly action: 'refuse'; readonly reason: string };

/** What the program can do besides serving. */
export const COMMAND_NAMES = ['route', 'lint', 'top', 'completion'] as const;

export type CommandName = (typeof COMMAND_NAMES)[number];

export const HELP = `Usage: hipache [options]
       hipache COMMAND [options]

Routes HTTP and WebSocket traffic to the backends that Redis, or a file, names.

  -c, --config FILE  configuration file, relative to the working directory
  -d, --dry, -t      check the configuration, print it with secrets censored, and exit
  -h, --help         print this and exit
  -v, --version      print the version and exit

Without --config: config/config.json of the package, or config/config_x.json
when SETTINGS_FLAVOR=x is in the environment.

Commands, each with its own --help:

  route              look at routes and edit them; explain where a request goes
  lint               tell what is wrong with the routes
  top                show what a running router does
  completion         print a script for the shell's completion
`;

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  dry: { type: 'boolean', short: 'd' },
  // nginx and h2o call it so, and fingers remember.
  test: { type: 'boolean', short: 't' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/**
 * What is asked for. Pure.
 * @param argv without the program's name
 * @param folder where the package's configurations lie
 */
export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv, folder: string): Command {
  const [first, ...rest] = argv;
  const command = COMMAND_NAMES.find((each) => each === first);
  if (command !== undefined) return { action: 'command', name: command, argv: rest, path: defaultPath(env, folder) };
  // Not strict: Node's own sentences advise what makes no sense here ("place it after '--'").
  const { tokens } = parseArgs({ args: [...argv], options: OPTIONS, strict: false, tokens: true });
  const asked = new Set<string>();
  let path = defaultPath(env, folder);
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') return refuse(`unexpected argument "${token.value}"${hintFor(token.value)}`);
    const { name, rawName, value } = token;
    if (!isKnown(rawName)) return refuse(`unknown option "${rawName}"`);
    asked.add(name === 'test' ? 'dry' : name);
    if (name !== 'config') {
      if (value !== undefined) return refuse(`option "${rawName}" takes no value`);
      continue;
    }
    const isFlag = !token.inlineValue && value?.startsWith('-');
    if (value === undefined || value === '' || isFlag) return refuse(`option "${rawName}" needs a file`);
    path = value;
  }
  if (asked.has('help')) return { action: 'help' };
  if (asked.has('version')) return { action: 'version' };
  return { action: asked.has('dry') ? 'dry' : 'run', path };
}

/** For a command that is misspelt, or does not come first. */
function hintFor(word: string): string {
  const meant = nearest(word, COMMAND_NAMES);
  if (meant === null) return '';
  return meant === word ? `; a command comes first: hipache ${meant}` : `; did you mean "${meant}"?`;
}

function defaultPath(env: NodeJS.ProcessEnv, folder: string): string {
  const flavor = env['SETTINGS_FLAVOR'];
  return join(folder, flavor ? `config_${flavor}.json` : 'config.json');
}

/** `--test` is not offered, `-t` alone is. */
function isKnown(rawName: string): boolean {
  return ['--config', '--dry', '--help', '--version', '-c', '-d', '-t', '-h', '-v'].includes(rawName);
}

function refuse(reason: string): Command {
  return { action: 'refuse', reason };
}
