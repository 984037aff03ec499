import { parseArgs, type ParseArgsConfig } from 'node:util';
import { nearest } from '../config/nearest.ts';

/** A usage error. The message is for the operator; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** An option of a command: its names, and whether it takes a value. */
export interface Option {
  readonly name: string;
  readonly short?: string;
  /** A description of its value for error messages, for example `a file`. Without it, the option takes none. */
  readonly value?: string;
}

/** The parsed arguments of a command. */
export interface Arguments {
  readonly words: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
}

/** Parses a command's arguments. Everything after `--` is a word. @throws UsageError */
export function readOptions(argv: readonly string[], options: readonly Option[]): Arguments {
  const types: ParseArgsConfig['options'] = {};
  for (const { name, short, value } of options) {
    types[name] = { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) };
  }
  // Not strict: the error messages of Node give advice that does not apply here.
  const { tokens } = parseArgs({ args: [...argv], options: types, strict: false, tokens: true } as const);
  const words: string[] = [];
  const values = new Map<string, string>();
  const flags = new Set<string>();
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const option = options.find((each) => each.name === name);
    if (option === undefined || (rawName.startsWith('--') && rawName !== `--${name}`))
      throw unknownOption(rawName, options);
    if (option.value === undefined) {
      if (value !== undefined) throw new UsageError(`option "${rawName}" takes no value`);
      flags.add(name);
    } else {
      // A file named "-" is standard input.
      const isFlag = !inlineValue && value !== '-' && value?.startsWith('-');
      if (value === undefined || value === '' || isFlag) {
        throw new UsageError(`option "${rawName}" needs ${option.value}`);
      }
      values.set(name, value);
    }
  }
  return { words, values, flags };
}

function unknownOption(rawName: string, options: readonly Option[]): UsageError {
  const meant = nearest(
    rawName.replace(/^-+/, ''),
    options.map(({ name }) => name),
  );
  return new UsageError(`unknown option "${rawName}"${meant === null ? '' : `; did you mean "--${meant}"?`}`);
}

/** One of the known words. @throws UsageError that suggests the nearest one */
export function knownWord<Word extends string>(word: string | undefined, known: readonly Word[], what: string): Word {
  const found = known.find((each) => each === word);
  if (found !== undefined) return found;
  if (word === undefined) throw new UsageError(`no ${what} given; there are ${known.join(', ')}`);
  const meant = nearest(word, known);
  const hint = meant === null ? `there are ${known.join(', ')}` : `did you mean "${meant}"?`;
  throw new UsageError(`unknown ${what} "${word}"; ${hint}`);
}
