/** A compose file without a container engine: each service is a process, on addresses of this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { PROGRAM } from './command.ts';
import { guard } from './guard.ts';
import { freePort } from './ports.ts';
import { type Owner, temporaryFolder } from './router.ts';

export interface Service {
  readonly image: string;
  readonly command: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
  readonly networks: { readonly fleet: { readonly ipv4_address: string } };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** In the place of the network of the example (172.30.0): one of this machine that no other process of the tests uses. */
const OURS = `127.${100 + (process.pid >> 16)}.${(process.pid >> 8) & 255}.`;
/** What the addresses of the processes of tests differ in; an address ends with 9 at least, and 40 at most. */
const OFFSET = (process.pid & 3) * 50;

/** @throws when it is not YAML */
export function readCompose(text: string): ComposeFile {
  return parse(text, { merge: true }) as ComposeFile;
}

/** Whether its image has the router as its entry point. */
const isRouter = ({ image }: Service): boolean => image === 'hipache';

/** A command as compose splits it: at blanks, except within double quotes. */
function wordsOf(command: string): readonly string[] {
  return Array.from(command.matchAll(/"([^"]*)"|\S+/g), ([word, quoted]) => (quoted ?? word).replaceAll('$$', '$'));
}

/** The variables of a service. Those that an operator must give are `secret`. */
export function environmentOf(service: Service | undefined): Readonly<Record<string, string>> {
  const given = Object.entries(service?.environment ?? {});
  return Object.fromEntries(given.map(([name, value]) => [name, value.replace(/^\$\{.*\}$/, 'secret')]));
}

/** The processes of a compose file. They are ended with their owner. */
export class Composed {
  readonly #owner: Owner;
  readonly #folder: string;
  readonly #file: ComposeFile;
  readonly #own: (text: string) => string;
  readonly #running = new Map<string, ChildProcess>();
  /** What all of them wrote, line by line, for the messages of failures. */
  readonly output: string[] = [];

  private constructor(owner: Owner, folder: string, own: (text: string) => string) {
    this.#owner = owner;
    this.#folder = folder;
    this.#own = own;
    this.#file = readCompose(readFileSync(join(folder, 'compose.yaml'), 'utf8'));
  }

  /** Copies the files of an example, with free ports in the place of these. Starts nothing. */
  static async of(owner: Owner, example: string, ports: readonly string[]): Promise<Composed> {
    const ours = new Map<string, string>();
    for (const port of ports) ours.set(port, String(await freePort()));
    const own = (text: string): string =>
      text
        .replaceAll(/172\.30\.0\.(\d+)/g, (_, last: string) => `${OURS}${Number(last) + OFFSET}`)
        .replaceAll(/\b\d{4,5}\b/g, (port) => ours.get(port) ?? port);
    const folder = temporaryFolder(owner);
    for (const name of readdirSync(example))
      writeFileSync(join(folder, name), own(readFileSync(join(example, name), 'utf8')));
    return new Composed(owner, folder, own);
  }

  get services(): readonly string[] {
    return Object.keys(this.#file.services);
  }

  /** An address or a port of the example, as it is here. */
  own(text: string): string {
    return this.#own(text);
  }

  /** Starts a service that does not run. */
  start(name: string): void {
    const service = this.#file.services[name];
    if (!service) throw new Error(`no service ${name}`);
    const home = join(this.#folder, name);
    mkdirSync(home, { recursive: true });
    const [command = '', ...args] = this.#wordsOf(service, home);
    // Debian keeps HAProxy where only root's PATH leads. Tests run as root in some places; containers of the image do not.
    const { PATH, ...rest } = process.env;
    const user = isRouter(service) && process.getuid?.() === 0 ? { HIPACHE_USER: 'root' } : {};
    const env = { ...rest, PATH: `${PATH}:/usr/sbin`, ...user, ...environmentOf(service) };
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    guard(child);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => this.output.push(`${name}: ${text}`));
    child.once('error', (error) => this.output.push(`${name}: ${String(error)}`));
    this.#running.set(name, child);
    this.#owner.after(() => this.end(name, 'SIGKILL'));
  }

  /** Ends a service. Resolves with its exit code when the process has ended; at once if it does not run. */
  async end(name: string, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#running.get(name);
    this.#running.delete(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return null;
    const exit = once(child, 'exit');
    child.kill(signal);
    return ((await exit) as [number | null])[0];
  }

  /** The command, with the files and folders that are mounted in the place of their paths in the container. */
  #wordsOf(service: Service, home: string): readonly string[] {
    const words = [...(isRouter(service) ? [process.execPath, PROGRAM] : []), ...wordsOf(service.command)];
    return (service.volumes ?? []).reduce((all, volume) => {
      const [from = '', to = ''] = volume.split(':');
      const path = from.startsWith('./') ? join(this.#folder, basename(from)) : home;
      return all.map((word) => word.replaceAll(to, path));
    }, words);
  }
}
