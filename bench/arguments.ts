/** What `npm run bench --` was told. */
import { parseArgs } from 'node:util';

export interface Wanted {
  readonly action: 'measure' | 'list' | 'publish' | 'help';
  /** Beginnings of the names of cases; none is all. */
  readonly only: readonly string[];
  readonly peers: readonly string[];
  /** Names of attacks, for the case that has them; none is all. */
  readonly attacks: readonly string[];
  readonly rounds: number;
  /** For one run. */
  readonly seconds: number;
  /** The cases that are not measured stay as the last results have them. */
  readonly keeps: boolean;
  /** Where the results go; null is `bench/results/`. */
  readonly out: string | null;
}

export const HELP = `Usage: npm run bench -- [options]

  --only NAMES    cases whose names begin so: small,redis
  --peers NAMES   who takes part: haproxy,hipache; nginx always does
  --attacks NAMES of the case neighbours: flood,hang
  --rounds N      3 by default
  --seconds N     for one run, 4 by default
  --out FOLDER    for the results; bench/results by default
  --keep          the other cases of the last results stay; rounds and seconds must be theirs
  --list          print the cases and who takes part
  --publish       put the last results into README.md and docs/benchmarks.md
  --help          print this
`;

const MAX = 1_000;
const ROUNDS = 3;
const SECONDS = 4;

/** @throws an Error for the user when it is not understood */
export function parseArguments(args: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      peers: { type: 'string', default: '' },
      attacks: { type: 'string', default: '' },
      rounds: { type: 'string', default: String(ROUNDS) },
      seconds: { type: 'string', default: String(SECONDS) },
      out: { type: 'string' },
      keep: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    action: values.help ? 'help' : values.list ? 'list' : values.publish ? 'publish' : 'measure',
    only: names(values.only),
    peers: names(values.peers),
    attacks: names(values.attacks),
    rounds: whole('rounds', values.rounds),
    seconds: whole('seconds', values.seconds),
    keeps: values.keep,
    out: values.out ?? null,
  };
}

/** How the same is measured again. Where the results went is nobody's business. */
export function commandOf(args: readonly string[]): string {
  const { only, peers, attacks, rounds, seconds } = parseArguments(args);
  const told = [
    ...(only.length > 0 ? ['--only', only.join(',')] : []),
    ...(peers.length > 0 ? ['--peers', peers.join(',')] : []),
    ...(attacks.length > 0 ? ['--attacks', attacks.join(',')] : []),
    ...(rounds === ROUNDS ? [] : ['--rounds', String(rounds)]),
    ...(seconds === SECONDS ? [] : ['--seconds', String(seconds)]),
  ];
  return ['npm run bench', ...(told.length > 0 ? ['--', ...told] : [])].join(' ');
}

function names(text: string): readonly string[] {
  return text.split(',').filter((name) => name !== '');
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX) return value;
  throw new Error(`--${name} must be a whole number from 1 to ${MAX}`);
}
