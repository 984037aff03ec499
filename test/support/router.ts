/** A whole router, as an operator starts it: a process of its own, with a configuration file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { guard } from './guard.ts';

const COMMAND = fileURLToPath(new URL('../../bin/hipache.js', import.meta.url));
/** Longer than anything here takes on a busy machine, ms. */
const PATIENCE_MS = 20_000;

/** Who ends what was started: a test, or the `after` of a file of tests. */
export interface Owner {
  after(end: () => unknown): void;
}

/** A line of the operator's log. */
export interface LogEntry {
  readonly event?: string;
  readonly level?: string;
  readonly pid?: number;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export interface RouterOptions {
  /** What the file store holds; left out when the configuration names another driver. */
  readonly routes?: Readonly<Record<string, readonly string[] | Readonly<Record<string, string | number>>>>;
  readonly server?: Readonly<Record<string, unknown>>;
  /** Further top-level keys. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** As a terminal or a supervisor would start it: leader of a process group of its own. */
  readonly isGroupLeader?: boolean;
  /** The command's file, if not this build's. */
  readonly command?: string;
}

export class Router {
  readonly folder: string;
  readonly process: ChildProcess;
  /** What it wrote to standard output: the access log. */
  readonly lines: string[] = [];
  /** What it wrote to standard error, parsed. */
  readonly log: LogEntry[] = [];
  /** Lines on standard error that were no log entries. */
  readonly stray: string[] = [];
  readonly #exit: Promise<number | null>;
  readonly #watchers = new Set<() => void>();
  /** It has ended, and all that took over from it. */
  #hasClosed = false;

  constructor(
    folder: string,
    args: readonly string[],
    { env, isGroupLeader = false, command = COMMAND }: Pick<RouterOptions, 'env' | 'isGroupLeader' | 'command'>,
  ) {
    this.folder = folder;
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    const child = spawn(process.execPath, [command, ...args], {
      stdio,
      env: { ...process.env, ...env },
      detached: isGroupLeader,
    });
    this.process = child;
    guard(child);
    this.#exit = once(child, 'close').then(([code]) => code as number | null);
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(() => this.lines.push(line)));
    createInterface({ input: child.stderr }).on('line', (line) => this.#hear(() => this.#read(line)));
    void this.#exit.then(() => this.#hear(() => (this.#hasClosed = true)));
  }

  get port(): number {
    return Number(new URL(this.urls[0] ?? 'http://none:0').port);
  }

  /** Where it listens. */
  get urls(): readonly string[] {
    return (this.log.find(({ event }) => event === 'ready')?.['listening'] ?? []) as string[];
  }

  /** Resolves when `find` gives something; rejects when the router ends first, or patience does. */
  async until<T>(what: string, find: () => T | undefined | null | false): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = find();
      if (found) return found;
      if (this.#hasClosed || Date.now() > deadline) {
        const said = [...this.stray, ...this.log.map((entry) => JSON.stringify(entry)), ...this.lines].join('\n');
        throw new Error(`no ${what}; the router said:\n${said}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, 250);
        const watchers = this.#watchers;
        watchers.add(wake);
        function wake(): void {
          clearTimeout(timer);
          watchers.delete(wake);
          resolve();
        }
      });
    }
  }

  /** The first entry with this event, from the `from`th entry on. */
  event(name: string, from = 0): Promise<LogEntry> {
    return this.until(`event "${name}"`, () => this.log.slice(from).find(({ event }) => event === name));
  }

  /** The access log line that matches, once it has been written. */
  line(pattern: RegExp): Promise<string> {
    return this.until(`line like ${pattern}`, () => this.lines.find((line) => pattern.test(line)));
  }

  /** Forgets what it has written, except where it listens. */
  forget(): void {
    const ready = this.log.filter(({ event }) => event === 'ready').slice(0, 1);
    this.log.splice(0, Infinity, ...ready);
    this.lines.length = 0;
    this.stray.length = 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Resolves with the exit code when the process has ended. */
  exited(): Promise<number | null> {
    return this.#exit;
  }

  /** Ends it, politely first. Resolves with the exit code. */
  async stop(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.signal('SIGTERM');
      const timer = setTimeout(() => this.signal('SIGTERM'), 3_000);
      if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
      clearTimeout(timer);
    }
    // Those that took over have our pipes.
    for (const { event, successor } of this.log) if (event === 'upgraded') end(Number(successor));
    return await this.#exit;
  }

  #hear(note: () => void): void {
    note();
    for (const wake of this.#watchers) wake();
  }

  #read(line: string): void {
    try {
      this.log.push(JSON.parse(line) as LogEntry);
    } catch {
      this.stray.push(line);
    }
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended.
  }
}

/** The path of a new folder that is removed after the test. */
export function temporaryFolder(t: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), 'hipache-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `on` or `off`: in which setting of `server.fastLane` tests run that do not choose; its default when not given. */
const FAST_LANE = process.env['HIPACHE_FAST_LANE'];

/** Writes a configuration with one worker on a free port, access log on standard output. Returns its path. */
export function writeConfig(folder: string, { routes, server, config }: RouterOptions): string {
  const path = join(folder, 'config.json');
  if (routes) writeFileSync(join(folder, 'routes.json'), JSON.stringify(routes));
  const base = {
    server: { workers: 1, accessLog: '-', ...(FAST_LANE && { fastLane: FAST_LANE === 'on' }), ...server },
    http: { port: 0, bind: ['127.0.0.1'] },
    ...(routes && { driver: 'file:routes.json' }),
    // Tests run as root in some places; files in a temporary folder are only for its owner.
    ...(process.getuid?.() === 0 && { user: 'root' }),
  };
  writeFileSync(path, JSON.stringify({ ...base, ...config }));
  return path;
}

/** Starts a router and waits until it serves. It is ended after the test. */
export async function startRouter(t: Owner, options: RouterOptions): Promise<Router> {
  const router = launchRouter(t, options);
  await router.event('ready');
  return router;
}

/** Starts a router without waiting. */
export function launchRouter(t: Owner, options: RouterOptions): Router {
  const folder = temporaryFolder(t);
  const router = new Router(folder, ['--config', writeConfig(folder, options)], options);
  t.after(() => router.stop());
  return router;
}
