import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nearest } from './nearest.ts';

/** Parses the command line. */

/** What the command line asks for. */
export type Command =
  /** `path` is the configuration file, as given: relative to the working directory. */
  | { readonly action: 'run'; readonly path: string }
  | { readonly action: 'dry'; readonly path: string; readonly output: DryOutput }
  | { readonly action: 'help' | 'version' }
  /**
   * A command other than serving. `argv`: the arguments after its name. `path`: the configuration when those name none;
   * null where there is none but an installed package's example, which has no real routes.
   */
  | {
      readonly action: 'command';
      readonly name: CommandName;
      readonly argv: readonly string[];
      readonly path: string | null;
    }
  /** A usage error. `reason`: a sentence for the operator. */
  | { readonly action: 'refuse'; readonly reason: string };

/** What `--dry` writes to standard output: text with the configuration, the configuration as JSON, or nothing. */
export type DryOutput = 'text' | 'json' | 'nothing';

/** Commands with options of their own. */
export const COMMAND_NAMES = ['route', 'apply', 'export', 'dead', 'lint', 'top', 'health', 'completion'] as const;

/** The words that may come first. */
export const FIRST_WORDS = [...COMMAND_NAMES, 'help', 'version'] as const;

/** The name of a command. */
export type CommandName = (typeof COMMAND_NAMES)[number];

/** The output of `--help`. */
export const HELP = `Usage: hipache [options]
       hipache COMMAND [options]

Routes HTTP and WebSocket traffic to backends listed in Redis or in a file.

  -c, --config FILE  configuration file, relative to the working directory
  -d, --dry, -t      check the configuration, print it with secrets censored, and exit
      --json         with --dry: print JSON and nothing else
  -q, --quiet        with --dry: print faults only
  -h, --help         print this help and exit
  -v, --version      print the version and exit

Without --config: with SETTINGS_FLAVOR=x in the environment the package's
config/config_x.json; else the file in HIPACHE_CONFIG; else
/etc/hipache.json; else the package's config/config.json. Commands use that
last one in a clone only.

Commands, each with its own --help:

  route              show and edit routes; explain where a request goes
  apply              write a set of frontends from a file
  export             print all frontends, for apply
  dead               clear dead marks
  lint               report problems in the routes
  top                show what a running router does
  health             report whether a running router is ready
  completion         print a script for the shell's completion
  help [COMMAND]     print this help, or that of a command
  version            print the version

Signals to the master process of a running router: HUP reloads the
configuration, USR1 reopens the access log, USR2 starts the installed version
of the program in its place, TERM finishes open requests and exits.

The exit code is 0 on success, 1 on failure, 2 on usage errors.
`;

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  dry: { type: 'boolean', short: 'd' },
  // As in nginx and h2o.
  test: { type: 'boolean', short: 't' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** The options as typed. `--test` is not offered, only `-t`. */
const LONG = ['config', 'dry', 'json', 'quiet', 'help', 'version'];
const KNOWN: ReadonlySet<string> = new Set([...LONG.map((name) => `--${name}`), '-c', '-d', '-t', '-q', '-h', '-v']);

/** Where to find a configuration that no argument names. */
export interface ConfigPlaces {
  /** The package's folder of configurations. */
  readonly packaged: string;
  /** Whether the package is a clone, whose examples may be edited. */
  readonly isClone: boolean;
  /** The system's configuration, `/etc/hipache.json`; null if there is none. */
  readonly system: string | null;
}

/** Parses the arguments. Pure. @param argv without the program's name */
export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv, places: ConfigPlaces): Command {
  const [first, ...rest] = argv;
  const command = COMMAND_NAMES.find((each) => each === first);
  const named = namedPath(env, places);
  const example = join(places.packaged, 'config.json');
  if (first === 'help') return helpOn(rest, env, places);
  if (first === 'version') return rest[0] === undefined ? { action: 'version' } : refuse(unexpected(rest[0]));
  if (command !== undefined)
    return { action: 'command', name: command, argv: rest, path: named ?? (places.isClone ? example : null) };
  // Not strict: Node's error messages give advice that does not apply here ("place it after '--'").
  const { tokens } = parseArgs({ args: [...argv], options: OPTIONS, strict: false, tokens: true });
  const asked = new Set<string>();
  let path = named ?? example;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      const { value, index } = token;
      return refuse(index === 0 && !/[./]/.test(value) ? unknownCommand(value) : unexpected(value));
    }
    const { name, rawName, value } = token;
    if (!KNOWN.has(rawName)) return refuse(`unknown option "${rawName}"${optionHintFor(rawName)}`);
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
  const isJson = asked.has('json');
  const isQuiet = asked.has('quiet');
  if (isJson && isQuiet) return refuse('give --json or --quiet, not both');
  if (asked.has('dry')) return { action: 'dry', path, output: isJson ? 'json' : isQuiet ? 'nothing' : 'text' };
  if (isJson || isQuiet) return refuse(`option "--${isJson ? 'json' : 'quiet'}" needs --dry`);
  return { action: 'run', path };
}

/** The message of a usage error, with a hint to the help. @param command whose help; undefined for the program's */
export function usageAdvice(reason: string, command?: string): string {
  const help = command === undefined ? 'hipache --help' : `hipache ${command} --help`;
  return `${reason}${reason.endsWith('?') ? '' : ';'} "${help}" lists what it takes`;
}

/** `help` alone, or with a command. */
function helpOn([name, ...more]: readonly string[], env: NodeJS.ProcessEnv, places: ConfigPlaces): Command {
  if (name === undefined || name === 'help' || name === 'version') return { action: 'help' };
  if (isCommand(name)) return readArguments([name, ...more, '--help'], env, places);
  return name.startsWith('-') ? readArguments(['--help', name, ...more], env, places) : refuse(unknownCommand(name));
}

function isCommand(word: string): boolean {
  return COMMAND_NAMES.some((each) => each === word);
}

function unknownCommand(word: string): string {
  const meant = nearest(word, FIRST_WORDS);
  return `unknown command "${word}"${meant === null ? '' : `; did you mean "${meant}"?`}`;
}

/**
 * The message for an argument that is not allowed: a command that does not come first, or a file without its option.
 */
function unexpected(word: string): string {
  const what = `unexpected argument "${word}"`;
  if (/\.(?:json|ya?ml)$/.test(word)) return `${what}; did you mean "--config ${word}"?`;
  const meant = nearest(word, FIRST_WORDS);
  return meant === null ? what : `${what}; a command comes first: hipache ${meant}`;
}

function optionHintFor(rawName: string): string {
  const meant = rawName.startsWith('--') ? nearest(rawName.slice(2), LONG) : null;
  return meant === null ? '' : `; did you mean "--${meant}"?`;
}

/** Null when neither the environment nor the system names one. */
function namedPath(env: NodeJS.ProcessEnv, { packaged, system }: ConfigPlaces): string | null {
  const flavor = env['SETTINGS_FLAVOR'];
  if (flavor) return join(packaged, `config_${flavor}.json`);
  return env['HIPACHE_CONFIG'] || system;
}

function refuse(reason: string): Command {
  return { action: 'refuse', reason };
}
