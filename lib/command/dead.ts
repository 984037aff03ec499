import { candidates } from '../core/routing/hostname.ts';
import { splitKey } from '../core/routing/prefixes.ts';
import { type Command, CommandFailure } from './command.ts';
import { keyOf } from './route-key.ts';
import { counted } from './show-fault.ts';
import { openStore, STORE_OPTIONS } from './store.ts';
import { knownWord, UsageError } from './usage.ts';

const HELP = `Usage: hipache dead clear HOST [URL] [options]

Removes the dead marks of a host, or those of one of its backends: routers send
it requests again at once. Marks are of the host that clients request, also
where a wildcard has its list.

With a routes file, marks are in the memory of the workers, and end in time.

  -c, --config FILE  the router's configuration, which names the store
      --driver URL   the store, instead of a configuration
      --force        use HOST as typed
      --json         print JSON
  -h, --help         print this help and exit

The exit code is 0 on success, also without any marks, 1 on failure, 2 on usage
errors.
`;

/** `hipache dead`. */
export const command: Command = {
  help: HELP,
  options: STORE_OPTIONS,

  async run({ args, console, configPath }) {
    const [word, host, url, extra] = args.words;
    knownWord(word, ['clear'] as const, 'command');
    if (host === undefined) throw new UsageError('"dead clear" needs HOST');
    if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}": "dead clear" takes HOST [URL]`);
    const { editor } = openStore(args, configPath);
    try {
      const key = keyOf(host, args.flags.has('force'), editor);
      const { lists } = await editor.look(splitKey(key).prefix === '' ? candidates(key) : [key], key);
      const urls = lists.find(({ holds }) => holds.length > 1)?.holds.slice(1) ?? [];
      if (url !== undefined && !urls.some((each) => each.trim() === url)) {
        throw new CommandFailure('no-backend', `${key} has no backend ${url}`);
      }
      const cleared = await editor.clearDead(key, urls, url ?? null);
      const store = editor.writeName;
      if (args.flags.has('json')) await console.write(`${JSON.stringify({ key, cleared, store })}\n`);
      else await console.write(`${key}: ${counted(cleared, 'dead mark')} removed, in ${store}\n`);
      return 0;
    } finally {
      await editor.close();
    }
  },
};
