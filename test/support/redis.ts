import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import type { RedisAddress } from '../../lib/core/routing/redis-address.ts';
import { freePort } from './ports.ts';
import { type RedisServer, SYSTEM_SERVER } from './redis-servers.ts';

/** Who ends the server: a test context, or a suite's `after`. */
export interface Owner {
  after(end: () => Promise<void>): void;
}

/** What a test wants of its server. */
export interface TestRedisOptions {
  /** Lines for its configuration file, such as `requirepass secret` or `user fred on >pw ~* +@all`. */
  readonly lines?: readonly string[];
  /**
   * TLS on the port, with a certificate for `localhost` and 127.0.0.1 from an authority of its own (see `caPath`);
   * `mutual`: clients need a certificate of that authority, too (see `clientFiles`).
   */
  readonly tls?: boolean | 'mutual';
  /** The folder of another server's certificates, to be used by this one too. */
  readonly certificates?: string;
  /** What the default user must give. */
  readonly password?: string;
  /** By default the system's. */
  readonly server?: RedisServer;
  /** Not a store of data, but one that watches others: `lines` say whom. */
  readonly isSentinel?: boolean;
}

/** A real redis-server: alone on its port, without persistence, in a folder that goes when it goes. */
export class TestRedis {
  readonly port: number;
  readonly #options: TestRedisOptions;
  readonly #folder: string;
  #child: ChildProcess | null = null;
  #client: Redis | null = null;

  constructor(port: number, options: TestRedisOptions) {
    this.port = port;
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), 'hipache-redis-'));
    if (options.tls && options.certificates === undefined) makeCertificate(this.#folder);
  }

  /** Where its certificates are. */
  get certificates(): string {
    return this.#options.certificates ?? this.#folder;
  }

  /** The authority to trust when `tls` was asked for. */
  get caPath(): string {
    return join(this.certificates, 'ca.pem');
  }

  /** A client's certificate and key, for `mutual`. */
  get clientFiles(): { readonly cert: string; readonly key: string } {
    return { cert: join(this.certificates, 'client.pem'), key: join(this.certificates, 'client.key') };
  }

  /** Where it listens besides its port. */
  get socketPath(): string {
    return join(this.#folder, 'redis.sock');
  }

  /** Starts it and waits until it takes connections. @returns false when the port was taken meanwhile */
  async start(): Promise<boolean> {
    const config = join(this.#folder, 'redis.conf');
    writeFileSync(config, [...this.#lines(), ...(this.#options.lines ?? [])].join('\n'));
    const mode = this.#options.isSentinel ? ['--sentinel'] : [];
    const { command, env } = this.#options.server ?? SYSTEM_SERVER;
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    const child = spawn(command, [config, ...mode], { stdio, env: { ...process.env, ...env } });
    this.#child = child;
    guard(child);
    return await new Promise((resolve, reject) => {
      let said = '';
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (/eady to accept connections|Sentinel ID is/.test(said)) resolve(true);
      });
      // Not `exit`: what it said last may still be on its way then.
      child.once('close', () => {
        if (said.includes('Address already in use')) resolve(false);
        else reject(new Error(`redis-server ended: ${said}`));
      });
      child.once('error', reject);
    });
  }

  /** A driver URL, with what is put between the scheme and the host, and after the port. */
  address(userinfo = '', rest = ''): RedisAddress {
    const [scheme, host] = this.#options.tls ? ['rediss', 'localhost'] : ['redis', '127.0.0.1'];
    const url = parseDriverUrl(`${scheme}://${userinfo}${host}:${this.port}${rest}`);
    if (url.scheme !== 'redis') throw new Error('not a Redis URL');
    return url.redis;
  }

  /** Runs a command, as redis-cli would: through a socket of its own, which takes no part in the port's troubles. */
  async cli(name: string, ...args: (string | number)[]): Promise<unknown> {
    return await this.client().call(name, ...args);
  }

  /** The client that `cli` uses: for subscriptions and large data. */
  client(): Redis {
    this.#client ??= this.#connect();
    return this.#client;
  }

  #connect(): Redis {
    const { password } = this.#options;
    const client = new Redis({
      path: this.socketPath,
      protocol: 2,
      disableClientInfo: true,
      commandTimeout: 5000,
      ...(password === undefined ? {} : { password }),
    });
    // A server that is killed takes this client along.
    client.on('error', () => {});
    return client;
  }

  /** Hangs it: the kernel goes on taking connections, nobody answers. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Kills it; the port refuses from now on. */
  async kill(): Promise<void> {
    this.#client?.disconnect();
    this.#client = null;
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Kills it and starts an empty one on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    if (!(await this.start())) throw new Error(`port ${this.port} was taken`);
  }

  /** Kills it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #lines(): readonly string[] {
    const common = [`dir ${this.#folder}`, 'unixsocket redis.sock', 'bind 127.0.0.1'];
    if (!this.#options.isSentinel) common.push('save ""', 'appendonly no');
    if (this.#options.password !== undefined) common.push(`requirepass ${this.#options.password}`);
    if (!this.#options.tls) return [...common, `port ${this.port}`];
    return [
      ...common,
      'port 0',
      `tls-port ${this.port}`,
      `tls-cert-file ${join(this.certificates, 'server.pem')}`,
      `tls-key-file ${join(this.certificates, 'server.key')}`,
      `tls-ca-cert-file ${this.caPath}`,
      'tls-replication yes',
      ...(this.#options.isSentinel ? [] : ['tls-cluster yes']),
      `tls-auth-clients ${this.#options.tls === 'mutual' ? 'yes' : 'no'}`,
    ];
  }
}

/** Starts a server that ends with its owner, also when the test fails. */
export async function startRedis(owner: Owner, options: TestRedisOptions = {}): Promise<TestRedis> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const redis = new TestRedis(await freePort(), options);
    owner.after(() => redis.stop());
    if (await redis.start()) return redis;
  }
  throw new Error('no free port for redis-server');
}

/**
 * Sees to it that the server ends with this process, even when a runner kills us without a word: then the pipe closes,
 * and the shell that reads from it kills the server. It knows the one process it was given.
 */
function guard(child: ChildProcess): void {
  const script = 'read _; kill -9 "$1"';
  const watcher = spawn('sh', ['-c', script, 'guard', String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'] });
  child.once('exit', () => watcher.kill('SIGKILL'));
}

function makeCertificate(folder: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl(...request, '-subj', '/CN=test authority', '-keyout', 'ca.key', '-out', 'ca.pem');
  const signed = [...request, '-CA', 'ca.pem', '-CAkey', 'ca.key'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  openssl(...signed, ...names, '-keyout', 'server.key', '-out', 'server.pem');
  openssl(...signed, '-subj', '/CN=a router', '-keyout', 'client.key', '-out', 'client.pem');
}
