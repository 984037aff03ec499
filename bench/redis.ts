/** The Redis of a benchmark: a server of its own without persistence, with frontends in three databases. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './ports.ts';
import type { Processes, Running } from './processes.ts';
import { parseCalls, type Calls } from './redis-info.ts';
import { usageOf } from './usage.ts';
import { ECHO_HOST, GRPC_HOST, hostOf } from './wrk.ts';

const PATIENCE_MS = 10_000;
const FILL_LIMIT_MS = 120_000;
const CLI_LIMIT_MS = 5_000;
/** Frontends written at a time. */
const CHUNK = 5_000;
/** Hosts besides: of WebSockets, and of gRPC. */
const SPECIAL_HOSTS = 2;

/** Where the hosts lead. */
export interface Backends {
  readonly plain: string;
  readonly echo: string;
  /** gRPC, by HTTP/2 without TLS. */
  readonly grpc: string;
}

export class BenchRedis {
  readonly port: number;
  readonly #process: Running;
  readonly #processes: Processes;
  readonly #cores: readonly number[];
  /** Databases by the number of frontends in them. */
  readonly #filled = new Map<number, number>();

  private constructor(port: number, process: Running, processes: Processes, cores: readonly number[]) {
    this.port = port;
    this.#process = process;
    this.#processes = processes;
    this.#cores = cores;
  }

  /** @throws when it does not answer in time */
  static async start(processes: Processes, cores: readonly number[], folder: string): Promise<BenchRedis> {
    const port = await freePort();
    const options = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
    ];
    const process = await processes.start(['redis-server', ...options], cores);
    const redis = new BenchRedis(port, process, processes, cores);
    const deadline = performance.now() + PATIENCE_MS;
    while ((await redis.#cli('ping').catch(() => '')) !== 'PONG') {
      if (process.hasEnded || performance.now() > deadline) throw new Error(`no redis-server: ${process.said()}`);
      await delay(50);
    }
    return redis;
  }

  /** Its processor time so far, µs. */
  get cpuMicros(): number {
    return usageOf(this.#process.pid).cpuMicros;
  }

  async calls(): Promise<Calls> {
    return parseCalls(await this.#cli('info', 'commandstats'));
  }

  /** Sees to it that a database holds so many frontends. @returns its URL as a driver */
  async driver(frontends: number, backends: Backends): Promise<string> {
    const database = this.#filled.get(frontends) ?? this.#filled.size;
    if (!this.#filled.has(frontends)) {
      await this.#fill(database, frontends, backends);
      this.#filled.set(frontends, database);
    }
    return `redis://127.0.0.1:${this.port}/${database}`;
  }

  async #fill(database: number, frontends: number, backends: Backends): Promise<void> {
    const where = ['-p', String(this.port), '-n', String(database)];
    const cli = spawn('redis-cli', [...where, '--pipe'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: FILL_LIMIT_MS,
    });
    const closed = once(cli, 'close');
    await pipeline(commands(frontends, backends), cli.stdin);
    await closed;
    const found = Number(await this.#cli('-n', String(database), 'dbsize'));
    const wanted = frontends + SPECIAL_HOSTS;
    if (found !== wanted) throw new Error(`Redis took ${found} frontends of ${wanted}`);
  }

  async #cli(...args: string[]): Promise<string> {
    const command = ['redis-cli', '-p', String(this.port), ...args];
    return (await this.#processes.run(command, this.#cores, CLI_LIMIT_MS)).trim();
  }
}

function* commands(frontends: number, { plain, echo, grpc }: Backends): Generator<string> {
  yield `RPUSH frontend:${ECHO_HOST} echo ${echo}\r\n`;
  yield `RPUSH frontend:${GRPC_HOST} grpc ${grpc}\r\n`;
  for (let from = 0; from < frontends; from += CHUNK) {
    const size = Math.min(CHUNK, frontends - from);
    yield Array.from(
      { length: size },
      (_, i) => `RPUSH frontend:${hostOf(from + i)} site${from + i} ${plain}\r\n`,
    ).join('');
  }
}
