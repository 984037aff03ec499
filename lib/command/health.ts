import { join, resolve } from 'node:path';
import { packageConfigFolder } from '../config/package.ts';
import { readStoreSettings } from '../config/store-settings.ts';
import { isObject } from '../config/values.ts';
import { type AdminAddress, adminAddress, askAdminFor, configuredAdmin } from './admin-client.ts';
import { type Command, CommandFailure } from './command.ts';
import type { Console } from './console.ts';
import { type Arguments, UsageError } from './usage.ts';

const HELP = `Usage: hipache health [options]

Reports whether a running router is ready for requests, by its admin interface:
for the health checks of containers and service managers.

  -c, --config FILE  the router's configuration, which has its address
      --admin URL    its address: http://HOST:PORT or unix:/PATH
      --live         succeed also when the router is not ready: it lives
      --strict       fail also when the router is degraded
      --json         print JSON
  -h, --help         print this help and exit

The exit code is 0 if it is ready, 1 if it is not or does not respond, 2 on usage
errors.
`;

/** `hipache health`. */
export const command: Command = {
  help: HELP,
  options: [
    { name: 'config', short: 'c', value: 'a file' },
    { name: 'admin', value: 'http://HOST:PORT or unix:/PATH' },
    { name: 'live' },
    { name: 'strict' },
    { name: 'json' },
    { name: 'help', short: 'h' },
  ],

  async run({ args, console, configPath }) {
    const { flags, words } = args;
    if (words.length > 0) throw new UsageError(`unexpected argument "${words[0]}"`);
    if (flags.has('live') && flags.has('strict')) throw new UsageError('give --live or --strict, not both');
    const path = flags.has('strict') ? '/readyz?strict=1' : '/readyz';
    const { status, document } = await askAdminFor(addressOf(args, console, configPath), path, [200, 503]);
    await console.write(flags.has('json') ? `${JSON.stringify(document)}\n` : `${sentenceOf(status, document)}\n`);
    return status === 200 || flags.has('live') ? 0 : 1;
  },
};

function addressOf({ values }: Arguments, { env }: Console, configPath: string | null): AdminAddress {
  const url = values.get('admin');
  // These requests need no token.
  if (url !== undefined) return adminAddress(url, null);
  const path = resolve(values.get('config') ?? configPath ?? join(packageConfigFolder, 'config.json'));
  const address = configuredAdmin(readStoreSettings(path, env).admin);
  if (address === null) throw new CommandFailure('no-admin', `${path} has no "admin"; add it, or give --admin URL`);
  return address;
}

/** `ready`, or what is missing: the reasons of `/readyz`. */
function sentenceOf(status: number, document: unknown): string {
  const reasons: unknown = isObject(document) ? document['reasons'] : undefined;
  const why = Array.isArray(reasons) && reasons.length > 0 ? `: ${reasons.map(String).join('; ')}` : '';
  return `${status === 200 ? 'ready' : 'not ready'}${why}`;
}
