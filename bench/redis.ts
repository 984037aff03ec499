/** The Redis of a benchmark: a server of its own without persistence, with frontends in three databases. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Certificate } from './certificate.ts';
import { SITES, siteHost, type TenantBackends } from './neighbours/tenants.ts';
import { freePort } from './ports.ts';
import type { Processes, Running } from './processes.ts';
import { parseCalls, type Calls } from './redis-info.ts';
import { usageOf } from './usage.ts';
import { ECHO_HOST, GRPC_HOST, hostOf, prefixesOf } from './wrk.ts';

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
  /** The same server at four addresses. */
  readonly four: readonly string[];
  readonly echo: string;
  /** gRPC, by HTTP/2 without TLS. */
  readonly grpc: string;
  /** Those of tenant A in `neighbours`. */
  readonly tenant: TenantBackends;
}

/** What a database has. */
export interface Contents {
  readonly frontends: number;
  /** Of each frontend. */
  readonly prefixes: number;
  /** The option `balance` of all frontends, which then have four backends. */
  readonly balance?: string;
  /** With the sites of tenant A, and this certificate for all hosts of the benchmark. */
  readonly tenant?: Certificate;
}

export class BenchRedis {
  readonly port: number;
  readonly #process: Running;
  readonly #processes: Processes;
  readonly #cores: readonly number[];
  /** Databases by their contents. */
  readonly #filled = new Map<string, number>();

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

  /** Fills a database, unless one has these contents. @returns its URL as a driver */
  async driver(contents: Contents, backends: Backends): Promise<string> {
    const name = JSON.stringify(contents);
    const database = this.#filled.get(name) ?? this.#filled.size;
    if (!this.#filled.has(name)) {
      await this.#fill(database, contents, backends);
      this.#filled.set(name, database);
    }
    return `redis://127.0.0.1:${this.port}/${database}`;
  }

  async #fill(database: number, contents: Contents, backends: Backends): Promise<void> {
    const where = ['-p', String(this.port), '-n', String(database)];
    const cli = spawn('redis-cli', [...where, '--pipe'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: FILL_LIMIT_MS,
    });
    const closed = once(cli, 'close');
    await pipeline(commands(contents, backends), cli.stdin);
    await closed;
    const found = Number(await this.#cli('-n', String(database), 'dbsize'));
    const { frontends, prefixes, balance, tenant } = contents;
    // Each prefix has a list, and each frontend that has any a set of them. Options of all frontends are one hash.
    const options = balance === undefined ? 0 : 1;
    const tenants = tenant === undefined ? 0 : [...tenantCommands(tenant, backends.tenant)].length;
    const wanted = SPECIAL_HOSTS + options + tenants + frontends * (prefixes === 0 ? 1 : 2 + prefixes);
    if (found !== wanted) throw new Error(`Redis took ${found} keys of ${wanted}`);
  }

  async #cli(...args: string[]): Promise<string> {
    const command = ['redis-cli', '-p', String(this.port), ...args];
    return (await this.#processes.run(command, this.#cores, CLI_LIMIT_MS)).trim();
  }
}

function* commands({ frontends, prefixes, balance, tenant }: Contents, backends: Backends): Generator<string> {
  const { plain, four, echo, grpc } = backends;
  const list = balance === undefined ? plain : four.join(' ');
  if (balance !== undefined) yield `HSET options:* balance ${balance}\r\n`;
  if (tenant !== undefined) yield* tenantCommands(tenant, backends.tenant);
  yield `RPUSH frontend:${ECHO_HOST} echo ${echo}\r\n`;
  yield `RPUSH frontend:${GRPC_HOST} grpc ${grpc}\r\n`;
  for (let from = 0; from < frontends; from += CHUNK) {
    const size = Math.min(CHUNK, frontends - from);
    yield Array.from({ length: size }, (_, i) => `RPUSH frontend:${hostOf(from + i)} site${from + i} ${list}\r\n`).join(
      '',
    );
  }
  const names = prefixesOf(prefixes);
  for (let n = 0; names.length > 0 && n < frontends; n++) {
    const lists = names.map((prefix) => `RPUSH frontend:${hostOf(n)}${prefix} site${n} ${plain}\r\n`);
    yield `SADD prefixes:${hostOf(n)} ${names.join(' ')}\r\n${lists.join('')}`;
  }
}

/** One for each key. */
function* tenantCommands({ cert, key }: Certificate, backends: TenantBackends): Generator<string> {
  for (const { name, backend, options } of SITES) {
    const host = siteHost(name);
    yield `RPUSH frontend:${host} ${name} ${backends[backend].join(' ')}\r\n`;
    const fields = Object.entries(options).map(([field, value]) => `${field} ${JSON.stringify(value)}`);
    if (fields.length > 0) yield `HSET options:${host} ${fields.join(' ')}\r\n`;
  }
  // In quotes Redis reads \\n as we write it.
  const [certificate, privateKey] = [cert, key].map((path) => JSON.stringify(readFileSync(path, 'utf8')));
  yield `HSET tls:*.bench.test certificate ${certificate} key ${privateKey}\r\n`;
}
