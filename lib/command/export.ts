import { NO_SET } from '../store/editor/frontend-set.ts';
import type { Command } from './command.ts';
import { referenceIn } from './set-certificates.ts';
import { type FileEntry, partOf, yamlOf } from './set-file.ts';
import { setKeysOf } from './set-keys.ts';
import { openStore, STORE_OPTIONS } from './store.ts';
import { UsageError } from './usage.ts';

/** Frontends that are read and printed together. */
const CHUNK = 500;

const HELP = `Usage: hipache export [options]

Prints all frontends with their options, header fields, weights, checks and error
pages, as "hipache apply" takes them. Certificates are named by their SHA-256,
those of a routes file by their files; private keys are never printed.

  -c, --config FILE  the router's configuration, which names the store
      --driver URL   the store, instead of a configuration
      --json         print JSON instead of YAML
  -h, --help         print this help and exit

The exit code is 0 on success, 1 on failure, or if a key of another type was left
out, 2 on usage errors.
`;

/** `hipache export`. */
export const command: Command = {
  help: HELP,
  options: STORE_OPTIONS.filter(({ name }) => name !== 'force'),

  async run({ args, console, configPath }) {
    if (args.words.length > 0) throw new UsageError(`unexpected argument "${args.words[0]}"`);
    const isJson = args.flags.has('json');
    const { editor } = openStore(args, configPath);
    try {
      const { frontends, certificates } = await setKeysOf(editor);
      const keys = [...new Set([...frontends, ...certificates])].toSorted();
      let odd = 0;
      let isFirst = true;
      if (isJson) await console.write('{"frontends":{');
      else await console.write(keys.length === 0 ? 'frontends: {}\n' : 'frontends:\n');
      for (let i = 0; i < keys.length; i += CHUNK) {
        const chunk = keys.slice(i, i + CHUNK);
        const sets = await editor.sets(chunk);
        const entries: FileEntry[] = [];
        for (const [at, key] of chunk.entries()) {
          const set = sets[at] ?? NO_SET;
          const certificate = certificates.has(key) ? await referenceIn(editor, key) : null;
          entries.push({ key, set, certificate });
          for (const name of set.odd) console.complain(`${name} has another type, and is left out`);
          odd += set.odd.length;
        }
        if (!isJson) await console.write(yamlOf(entries));
        else {
          const lines = entries.map((entry) => JSON.stringify(partOf(entry)).slice(1, -1));
          await console.write(`${isFirst ? '' : ','}\n${lines.join(',\n')}`);
        }
        isFirst = false;
      }
      if (isJson) await console.write('\n}}\n');
      return odd > 0 ? 1 : 0;
    } finally {
      await editor.close();
    }
  },
};
