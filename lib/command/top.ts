import { setTimeout as delay } from 'node:timers/promises';
import { join, resolve } from 'node:path';
import { packageConfigFolder } from '../config/package.ts';
import { readStoreSettings } from '../config/store-settings.ts';
import { adminAddress, type AdminAddress, askAdmin, configuredAdmin } from './admin-client.ts';
import { type Command, CommandFailure } from './command.ts';
import type { Console } from './console.ts';
import { openScreen, type Screen } from './screen.ts';
import { keysIn, press, SORT_KEYS, type TopState } from './top-keys.ts';
import { topFleet } from './top-fleet.ts';
import { topLines, type TopView, UNBOUNDED } from './top-view.ts';
import { type Arguments, knownWord, UsageError } from './usage.ts';

const EVERY_MS = 1000;
/** `seconds=2` gives the last complete second. */
const PATHS = ['/api/v1/live?seconds=2', '/api/v1/workers'] as const;
/** How many frontends are printed where there is no terminal. */
const PRINTED = 20;

const HELP = `Usage: hipache top [options]

Shows what a running router does, updated every second: requests, errors and
times by frontend, the workers, the store, problems. It uses the router's admin
interface. On a terminal these keys do something:

  t e l s n          sort by traffic, errors, latency, state, name
  /                  type a part of a name: only such frontends are shown
  Esc                show all frontends
  arrows, PgUp, PgDn, Home, End   scroll
  q                  quit

  -c, --config FILE  the router's configuration, which has its address
      --admin URL    its address: http://HOST:PORT or unix:/PATH
      --token TOKEN  its token; HIPACHE_ADMIN_TOKEN in the environment is
                     safer, since other users can see command lines
      --sort BY      sort by traffic (the default), errors, latency, state, key
      --match PART   only frontends with this text in their key or identifier
      --fleet        all routers of the store instead: versions, load, clocks
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
    { name: 'sort', value: 'a column' },
    { name: 'match', value: 'a part of a key' },
    { name: 'fleet' },
    { name: 'once' },
    { name: 'json' },
    { name: 'help', short: 'h' },
  ],

  async run({ args, console, configPath }) {
    const { words, flags, values } = args;
    if (words.length > 0) throw new UsageError(`unexpected argument "${words[0]}"`);
    const sort = knownWord(values.get('sort') ?? 'traffic', SORT_KEYS, 'column');
    const state: TopState = { sort, match: values.get('match') ?? '', from: 0, typed: null };
    const address = addressOf(args, console, configPath);
    if (flags.has('fleet')) {
      return await topFleet(address, console, { isJson: flags.has('json'), isOnce: flags.has('once') });
    }
    if (console.isTerminal && !flags.has('json') && !flags.has('once')) {
      return await new Watch(address, console, state).run();
    }
    const print = flags.has('json')
      ? jsonOf
      : (view: TopView): string => `${topLines(console, view, UNBOUNDED, sort, null).lines.join('\n')}\n`;
    if (flags.has('once')) {
      await console.write(print(await look(address, state, PRINTED)));
      return 0;
    }
    return await stream(address, console, state, print);
  },
};

function addressOf({ values }: Arguments, { env }: Console, configPath: string | null): AdminAddress {
  const token = values.get('token') ?? (env['HIPACHE_ADMIN_TOKEN'] || null);
  const url = values.get('admin');
  if (url !== undefined) return adminAddress(url, token);
  const path = resolve(values.get('config') ?? configPath ?? join(packageConfigFolder, 'config.json'));
  const address = configuredAdmin(readStoreSettings(path, env).admin);
  if (address === null) throw new CommandFailure('no-admin', `${path} has no "admin"; add it, or give --admin URL`);
  return { ...address, token: token ?? address.token };
}

/** @param limit how many frontends */
async function look(address: AdminAddress, { sort, match, from }: TopState, limit: number): Promise<TopView> {
  const query = new URLSearchParams({ sort, match, from: String(from), limit: String(limit) });
  const [live, workers, summary] = await Promise.all([
    ...PATHS.map((path) => askAdmin(address, path)),
    askAdmin(address, `/api/v1/summary?${query.toString()}`).catch(nothingOlder),
  ]);
  return { live, workers, summary };
}

/** A router of an older version has no summary. What else is wrong, the other requests say, too. */
function nothingOlder(error: unknown): null {
  if (error instanceof CommandFailure) return null;
  throw error;
}

function jsonOf({ live, workers, summary }: TopView): string {
  return `${JSON.stringify({ live, workers, summary })}\n`;
}

/** A table that updates in place and obeys keys, until the user ends it. */
class Watch {
  readonly #address: AdminAddress;
  readonly #console: Console;
  readonly #screen: Screen;
  #state: TopState;
  /** What was shown last; null when there was no response. */
  #view: TopView | null = null;
  #room = 1;
  #found = 0;
  /** Whether a key was pressed since the last request. */
  #isStale = false;
  #wake = (): void => {};

  constructor(address: AdminAddress, console: Console, state: TopState) {
    this.#address = address;
    this.#console = console;
    this.#state = state;
    this.#screen = openScreen((text) => this.#onTyped(text));
    this.#screen.ended.addEventListener('abort', () => this.#wake());
  }

  async run(): Promise<number> {
    try {
      while (!this.#screen.ended.aborted) {
        this.#isStale = false;
        await this.#look();
        if (!this.#isStale && !this.#screen.ended.aborted) await this.#pause();
      }
    } finally {
      this.#screen.close();
    }
    return 0;
  }

  async #look(): Promise<void> {
    try {
      this.#view = await look(this.#address, this.#state, this.#screen.rows);
    } catch (error) {
      // The router may be restarting: keeps trying.
      if (!(error instanceof CommandFailure)) throw error;
      this.#view = null;
      this.#screen.show([error.message]);
      return;
    }
    this.#show();
  }

  #show(): void {
    if (this.#view === null) return;
    const { lines, room, found } = topLines(this.#console, this.#view, this.#screen, this.#state.sort, this.#state);
    this.#room = room;
    this.#found = found;
    // Frontends may have been removed meanwhile.
    if (this.#state.from >= found) this.#state = { ...this.#state, from: Math.max(0, found - room) };
    this.#screen.show(lines);
  }

  #onTyped(text: string): void {
    for (const key of keysIn(text)) {
      const next = press(this.#state, key, this.#room, this.#found);
      if (next === null) return this.#screen.end();
      this.#state = next;
    }
    this.#isStale = true;
    // What is typed is shown before the router has responded.
    this.#show();
    this.#wake();
  }

  async #pause(): Promise<void> {
    await new Promise<void>((go) => {
      const timer = setTimeout(go, EVERY_MS);
      this.#wake = () => {
        clearTimeout(timer);
        go();
      };
    });
  }
}

/** Prints one table after the other, for a file or a program, until it is ended or the router does not respond. */
async function stream(
  address: AdminAddress,
  console: Console,
  state: TopState,
  print: (view: TopView) => string,
): Promise<number> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  while (!ending.signal.aborted) {
    await console.write(print(await look(address, state, PRINTED)));
    await delay(EVERY_MS, undefined, { signal: ending.signal }).catch(() => {});
  }
  return 0;
}
