import { setTimeout as delay } from 'node:timers/promises';
import { join, resolve } from 'node:path';
import { packageConfigFolder } from '../config/package.ts';
import { readStoreSettings } from '../config/store-settings.ts';
import { adminAddress, type AdminAddress, askAdmin, configuredAdmin } from './admin-client.ts';
import { type Command, CommandFailure } from './command.ts';
import type { Console } from './console.ts';
import { openScreen, type Screen } from './screen.ts';
import { topLines, type TopView } from './top-view.ts';
import { type Arguments, UsageError } from './usage.ts';

const EVERY_MS = 1000;
/** `seconds=2` gives the last complete second. */
const PATHS = ['/api/v1/live?seconds=2', '/api/v1/workers'] as const;

const HELP = `Usage: hipache top [options]

Shows what a running router does, updated every second: requests, errors and
times by frontend, the workers, the store. It uses the router's admin interface.
Press q to quit.

  -c, --config FILE  the router's configuration, which has its address
      --admin URL    its address: http://HOST:PORT or unix:/PATH
      --token TOKEN  its token; HIPACHE_ADMIN_TOKEN in the environment is
                     safer, since other users can see command lines
      --once         print one table and exit
      --json         print JSON, one line per second
  -h, --help         print this help and exit
`;

/** `hipache top`. */
export const command: Command = {
  help: HELP,
  options: [
    { name: 'config', short: 'c', value: 'a file' },
    { name: 'admin', value: 'a URL' },
    { name: 'token', value: 'a token' },
    { name: 'once' },
    { name: 'json' },
    { name: 'help', short: 'h' },
  ],

  async run({ args, console, configPath }) {
    const { words, flags } = args;
    if (words.length > 0) throw new UsageError(`unexpected argument "${words[0]}"`);
    const address = addressOf(args, console, configPath);
    const print = flags.has('json') ? jsonOf : (view: TopView): string => `${topLines(console, view).join('\n')}\n`;
    if (flags.has('once')) {
      await console.write(print(await look(address)));
      return 0;
    }
    if (console.isTerminal && !flags.has('json')) return await watch(address, console);
    return await stream(address, console, print);
  },
};

function addressOf({ values }: Arguments, { env }: Console, configPath: string | null): AdminAddress {
  const token = values.get('token') ?? (env['HIPACHE_ADMIN_TOKEN'] || null);
  const url = values.get('admin');
  if (url !== undefined) return adminAddress(url, token);
  const path = resolve(values.get('config') ?? configPath ?? join(packageConfigFolder, 'config.json'));
  const address = configuredAdmin(readStoreSettings(path).admin);
  if (address === null) throw new CommandFailure('no-admin', `${path} has no "admin"; add it, or give --admin URL`);
  return { ...address, token: token ?? address.token };
}

async function look(address: AdminAddress): Promise<TopView> {
  const [live, workers] = await Promise.all(PATHS.map((path) => askAdmin(address, path)));
  return { live, workers };
}

function jsonOf({ live, workers }: TopView): string {
  return `${JSON.stringify({ live, workers })}\n`;
}

/** Shows a table that updates in place, until the user ends it. */
async function watch(address: AdminAddress, console: Console): Promise<number> {
  const screen = openScreen();
  try {
    while (!screen.ended.aborted) {
      screen.show(await linesOrFault(address, console, screen));
      await pause(screen.ended);
    }
  } finally {
    screen.close();
  }
  return 0;
}

async function linesOrFault(address: AdminAddress, console: Console, screen: Screen): Promise<readonly string[]> {
  try {
    return topLines(console, await look(address), screen.rows);
  } catch (error) {
    // The router may be restarting: keeps trying.
    if (error instanceof CommandFailure) return [error.message];
    throw error;
  }
}

/** Prints one table after the other, for a file or a program, until it is ended or the router does not respond. */
async function stream(address: AdminAddress, console: Console, print: (view: TopView) => string): Promise<number> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  while (!ending.signal.aborted) {
    await console.write(print(await look(address)));
    await pause(ending.signal);
  }
  return 0;
}

async function pause(signal: AbortSignal): Promise<void> {
  await delay(EVERY_MS, undefined, { signal }).catch(() => {});
}
