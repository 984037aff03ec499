import { COMMAND_NAMES, FIRST_WORDS } from '../config/arguments.ts';
import type { Command } from './command.ts';
import { command as apply } from './apply.ts';
import { command as exported } from './export.ts';
import { command as dead } from './dead.ts';
import { command as health } from './health.ts';
import { command as lint } from './lint.ts';
import { ACTIONS, command as route } from './route.ts';
import { command as top } from './top.ts';
import { knownWord, type Option, UsageError } from './usage.ts';

const SHELLS = ['bash', 'zsh'] as const;

const HELP = `Usage: hipache completion bash|zsh

Prints a script with which the shell completes hipache's commands and options.
For the current shell only:

  source <(hipache completion bash)

For all shells: write it to /etc/bash_completion.d/hipache, or for zsh to a file
named _hipache in a folder of $fpath.
`;

/** `hipache completion`. */
export const command: Command = {
  help: HELP,
  options: [{ name: 'help', short: 'h' }],

  async run({ args, console }) {
    const [shell, ...more] = args.words;
    if (more.length > 0) throw new UsageError(`unexpected argument "${more[0]}"`);
    await console.write(SCRIPTS[knownWord(shell, SHELLS, 'shell')]());
    return 0;
  },
};

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], () => string>> = { bash: bashScript, zsh: zshScript };

/** Options whose values are files, which the shell can complete. */
const FILES: ReadonlySet<string> = new Set(['config', 'file']);

/** The words that may follow each command. */
const WORDS: Readonly<Record<string, string>> = {
  route: [...ACTIONS, ...flagsOf(route.options)].join(' '),
  apply: flagsOf(apply.options).join(' '),
  export: flagsOf(exported.options).join(' '),
  dead: ['clear', ...flagsOf(dead.options)].join(' '),
  lint: flagsOf(lint.options).join(' '),
  top: flagsOf(top.options).join(' '),
  health: flagsOf(health.options).join(' '),
  completion: SHELLS.join(' '),
  help: COMMAND_NAMES.join(' '),
};
const FIRST = [...FIRST_WORDS, '--config', '--dry', '--help', '--json', '--quiet', '--version'].join(' ');
const VALUES = valueOptions([
  ...route.options,
  ...apply.options,
  ...lint.options,
  ...top.options,
  ...health.options,
]).join('|');

function flagsOf(options: readonly Option[]): readonly string[] {
  return options.map(({ name }) => `--${name}`);
}

/** Options with a value that the shell cannot complete. */
function valueOptions(options: readonly Option[]): readonly string[] {
  const withValue = options.filter(({ name, value }) => value !== undefined && !FILES.has(name));
  return [...new Set(flagsOf(withValue))];
}

function casesOf(line: (words: string) => string): string {
  return Object.entries(WORDS)
    .map(([name, words]) => `    ${name}) ${line(words)} ;;`)
    .join('\n');
}

function bashScript(): string {
  return `# bash completion for hipache
_hipache() {
  local current=\${COMP_WORDS[COMP_CWORD]} words='' IFS=$' \\n'
  COMPREPLY=()
  case \${COMP_WORDS[COMP_CWORD-1]} in
    -c|--config|-f|--file) IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${VALUES}) return ;;
  esac
  case \${COMP_WORDS[1]} in
${casesOf((words) => `words='${words}'`)}
  esac
  [[ $COMP_CWORD -eq 1 ]] && words='${FIRST}'
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _hipache hipache
`;
}

function zshScript(): string {
  return `#compdef hipache
_hipache() {
  local -a offered
  case \${words[CURRENT-1]} in
    -c|--config|-f|--file) _files; return ;;
    ${VALUES}) return ;;
  esac
  case \${words[2]} in
${casesOf((words) => `offered=(${words})`)}
  esac
  (( CURRENT == 2 )) && offered=(${FIRST})
  compadd -- \${offered}
}
if [[ \${funcstack[1]} == _hipache ]]; then _hipache "$@"; else compdef _hipache hipache; fi
`;
}
