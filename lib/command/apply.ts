import { dirname, resolve } from 'node:path';
import { readOwn } from '../files/read.ts';
import { faultsOfSet } from '../diagnostics/set-faults.ts';
import { isSameSet, NO_SET, type SetChange } from '../store/editor/frontend-set.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import { type Command, CommandFailure } from './command.ts';
import { clean, type Console, paint } from './console.ts';
import { type CertificateChange, certificateChange } from './set-certificates.ts';
import { type ChangeKind, diffLines, kindOf } from './set-diff.ts';
import { type FileEntry, parseSetFile } from './set-file.ts';
import { setKeysOf } from './set-keys.ts';
import { openStore, STORE_OPTIONS } from './store.ts';
import { UsageError } from './usage.ts';

/** The maximum size of a file, bytes. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Frontends that are read, written and printed together. */
const CHUNK = 500;
/** How often a frontend is written again that others have changed meanwhile. */
const MAX_ATTEMPTS = 10;
/** Faults that are printed. */
const MAX_FAULTS = 20;

const HELP = `Usage: hipache apply [-f FILE] [options]

Makes the frontends of the store those of a file, YAML or JSON, such as "hipache
export" prints. Prints what changes. Each frontend is written in one step, and
only if it differs. What a frontend of the file does not have is removed from it;
frontends that are not in the file are kept.

  -f, --file FILE    the file; without it, or with -, standard input
      --prune        also remove all frontends that are not in the file
      --dry          print what would change, and write nothing
  -c, --config FILE  the router's configuration, which names the store
      --driver URL   the store, instead of a configuration
      --force        write despite faults, and overwrite keys of another type
      --json         print JSON
  -h, --help         print this help and exit

If any frontend has a fault, nothing is written. The exit code is 0 on success,
1 on failure, 2 on usage errors.
`;

/** `hipache apply`. */
export const command: Command = {
  help: HELP,
  options: [...STORE_OPTIONS, { name: 'file', short: 'f', value: 'a file' }, { name: 'prune' }, { name: 'dry' }],

  async run({ args: { words, values, flags }, args, console, configPath }) {
    if (words.length > 0) throw new UsageError(`unexpected argument "${words[0]}": name the file with -f`);
    const file = values.get('file') ?? '-';
    const { entries, faults } = parseSetFile(file === '-' ? await readInput() : readFile(file));
    if (faults.length > 0) throw faulty(faults);
    const isForced = flags.has('force');
    const isDry = flags.has('dry');
    const { editor } = openStore(args, configPath, 'apply');
    try {
      const folder = file === '-' ? process.cwd() : dirname(resolve(file));
      const certificates = await checked(editor, entries, folder, isForced);
      const changes = await changesOf(editor, entries, flags.has('prune'), { isForced, isDry });
      const kinds = changes.map(({ before, after }) => kindOf(before, after));
      const writes = changes.filter((_, i) => kinds[i] !== 'unchanged');
      if (!flags.has('json')) await printDiff(console, writes, certificates);
      if (!isDry) {
        await write(editor, writes, isForced);
        for (const { key, pair } of certificates) await editor.writeCertificate(key, pair);
      }
      const counts = { created: 0, changed: 0, removed: 0, unchanged: 0 };
      for (const kind of kinds) counts[kind]++;
      await (flags.has('json')
        ? printJson(
            console,
            { dry: isDry, ...counts, certificates: certificates.length, store: editor.writeName },
            writes,
          )
        : printEnd(console, editor, counts, certificates.length, isDry));
      return 0;
    } finally {
      await editor.close();
    }
  },
};

/** The certificates to write. @throws CommandFailure for faults of the file, unless they are overridden */
async function checked(
  editor: RouteEditor,
  entries: readonly FileEntry[],
  folder: string,
  isForced: boolean,
): Promise<readonly CertificateChange[]> {
  const faults: string[] = [];
  const changes: CertificateChange[] = [];
  for (const entry of entries) {
    const complain = (fault: string): void => void faults.push(`${entry.key}: ${fault}`);
    for (const fault of faultsOfSet(entry.key, entry.set, editor.advice)) complain(fault);
    const change = await certificateChange(editor, entry, folder, complain);
    if (change !== null) changes.push(change);
  }
  if (faults.length > 0 && !isForced) throw faulty(faults);
  return changes;
}

/** Each frontend of the file, and with `prune` of the store, as it is and as it is to be. */
async function changesOf(
  editor: RouteEditor,
  entries: readonly FileEntry[],
  prunes: boolean,
  { isForced, isDry }: { readonly isForced: boolean; readonly isDry: boolean },
): Promise<readonly SetChange[]> {
  const wanted = new Map(entries.map(({ key, set }) => [key, set]));
  if (prunes) {
    if (wanted.size === 0 && !isForced) {
      throw new CommandFailure('no-frontends', 'the file has no frontend: --prune would remove all (--force does)');
    }
    const { frontends } = await setKeysOf(editor);
    for (const key of frontends) if (!wanted.has(key)) wanted.set(key, NO_SET);
  }
  const keys = [...wanted.keys()];
  const sets = await editor.sets(keys, { isFresh: !isDry });
  const changes = keys.map((key, i) => ({ key, before: sets[i] ?? NO_SET, after: wanted.get(key) ?? NO_SET }));
  const odd = changes.flatMap(({ before }) => before.odd);
  if (odd.length > 0 && !isForced) {
    throw new CommandFailure('wrong-type', `${odd.join(', ')}: another type; nothing was written (--force would)`);
  }
  return changes;
}

/** @throws CommandFailure when others change a frontend again and again */
async function write(editor: RouteEditor, changes: readonly SetChange[], isForced: boolean): Promise<void> {
  let left = changes;
  for (let attempt = 1; left.length > 0; attempt++) {
    if (attempt > MAX_ATTEMPTS) {
      const keys = left.map(({ key }) => key).join(', ');
      throw new CommandFailure('busy', `others change ${keys} all the time; the other frontends are written`);
    }
    const written = await editor.writeSets(left, { isForced });
    const missed = left.filter((_, i) => written[i] !== true);
    const now = await editor.sets(
      missed.map(({ key }) => key),
      { isFresh: true },
    );
    left = missed
      .map((change, i) => Object.assign({}, change, { before: now[i] ?? NO_SET }))
      .filter(({ before, after }) => !isSameSet(before, after));
  }
}

async function printDiff(
  console: Console,
  changes: readonly SetChange[],
  certificates: readonly CertificateChange[],
): Promise<void> {
  const colors = { '+': 'green', '-': 'red', '~': 'yellow' } as const;
  for (let i = 0; i < changes.length; i += CHUNK) {
    const lines = changes.slice(i, i + CHUNK).flatMap(({ key, before, after }) => diffLines(key, before, after));
    const painted = lines.map((line) => {
      const color = colors[line.trimStart().charAt(0) as keyof typeof colors];
      return paint(console, color, clean(line));
    });
    await console.write(`${painted.join('\n')}\n`);
  }
  for (const { key } of certificates)
    await console.write(`${paint(console, 'yellow', clean(`~ ${key}: certificate`))}\n`);
}

async function printEnd(
  console: Console,
  editor: RouteEditor,
  { created, changed, removed, unchanged }: Readonly<Record<ChangeKind, number>>,
  certificates: number,
  isDry: boolean,
): Promise<void> {
  const more = certificates > 0 ? `, ${certificates} certificates` : '';
  const end = isDry ? `; nothing was written to ${editor.writeName}` : `, in ${editor.writeName}`;
  await console.write(
    `${created} created, ${changed} changed, ${removed} removed, ${unchanged} unchanged${more}${end}\n`,
  );
}

async function printJson(console: Console, result: object, changes: readonly SetChange[]): Promise<void> {
  const frontends = changes.map(({ key, before, after }) => ({
    key,
    change: kindOf(before, after),
    lines: diffLines(key, before, after).slice(1),
  }));
  await console.write(`${JSON.stringify({ ...result, frontends })}\n`);
}

function faulty(faults: readonly string[]): CommandFailure {
  const more = faults.length > MAX_FAULTS ? `; and ${faults.length - MAX_FAULTS} more` : '';
  const text = faults.slice(0, MAX_FAULTS).join('; ');
  return new CommandFailure('bad-routes', `${text}${more}; nothing was written`);
}

function readFile(path: string): string {
  try {
    return readOwn(resolve(path), MAX_BYTES).toString();
  } catch (error) {
    throw new CommandFailure('unreadable', `${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readInput(): Promise<string> {
  if (process.stdin.isTTY) throw new UsageError('no file given: name it with -f, or send it to standard input');
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BYTES) throw new CommandFailure('too-large', `standard input has more than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
