import { eventually } from './eventually.ts';
import { type Owner, startRedis, type TestRedis, type TestRedisOptions } from './redis.ts';

/** How long sentinels take to agree on a busy machine, ms. */
const PATIENCE_MS = 20_000;
/** After it a silent master counts as down, ms: longer than a busy machine lets one wait. */
const DOWN_AFTER_MS = 2_000;

/** What the sentinels call their master. */
export const MASTER = 'mymaster';

export interface SentinelOptions {
  /** What the sentinels' default user must give. */
  readonly sentinelPassword?: string;
  /** What the servers' default user must give. */
  readonly password?: string;
  /** TLS everywhere. */
  readonly tls?: boolean;
}

/** A master, its replica, and three sentinels that watch them. */
export class TestSentinels {
  readonly servers: readonly TestRedis[];
  readonly sentinels: readonly TestRedis[];

  constructor(servers: readonly TestRedis[], sentinels: readonly TestRedis[]) {
    this.servers = servers;
    this.sentinels = sentinels;
  }

  /** The driver URL. */
  url(userinfo = '', rest = '/0', query = ''): string {
    const hosts = this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return `redis+sentinel://${userinfo}${hosts}/${MASTER}${rest}${query}`;
  }

  /** The server that a sentinel takes for the master. */
  async master(): Promise<TestRedis> {
    const [sentinel] = this.sentinels;
    const port = sentinel && (await masterPort(sentinel));
    const master = this.servers.find((server) => server.port === port);
    if (!master) throw new Error(`no server has port ${port}`);
    return master;
  }

  /** Resolves when all sentinels take another server than this for the master. */
  async haveElected(besides: TestRedis): Promise<void> {
    await eventually(async () => {
      for (const sentinel of this.sentinels) {
        if ((await masterPort(sentinel)) === besides.port) throw new Error('the old one is still named');
      }
    }, PATIENCE_MS);
  }

  /** Resolves when all know each other and the replica. */
  async form(): Promise<void> {
    await eventually(async () => {
      for (const sentinel of this.sentinels) {
        const state = (await sentinel.cli('sentinel', 'master', MASTER)) as readonly string[];
        const told = (name: string) => Number(state[state.indexOf(name) + 1]);
        if (told('num-slaves') !== 1 || told('num-other-sentinels') !== 2) throw new Error(state.join(' '));
        const replicas = (await sentinel.cli('sentinel', 'replicas', MASTER)) as readonly (readonly string[])[];
        const [link] = replicas.map((replica) => replica[replica.indexOf('master-link-status') + 1]);
        if (link !== 'ok') throw new Error(`the replica's link is ${link}`);
      }
    }, PATIENCE_MS);
  }
}

async function masterPort(sentinel: TestRedis): Promise<number> {
  const [, port] = (await sentinel.cli('sentinel', 'get-master-addr-by-name', MASTER)) as readonly string[];
  return Number(port);
}

const secret = (given: string | undefined): TestRedisOptions => (given === undefined ? {} : { password: given });

/** Starts them; they end with their owner. */
export async function startSentinels(
  owner: Owner,
  { password, sentinelPassword, tls = false }: SentinelOptions = {},
): Promise<TestSentinels> {
  const lines = ['repl-diskless-sync-delay 0', ...(password === undefined ? [] : [`masterauth ${password}`])];
  const master = await startRedis(owner, { ...secret(password), tls, lines });
  const alike = { tls, certificates: master.certificates };
  const replicaof = `replicaof 127.0.0.1 ${master.port}`;
  const replica = await startRedis(owner, { ...secret(password), ...alike, lines: [...lines, replicaof] });
  const watching = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} 2`,
    `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${MASTER} 3000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${MASTER} ${password}`]),
    ...(sentinelPassword === undefined ? [] : [`sentinel sentinel-pass ${sentinelPassword}`]),
  ];
  const start = () => startRedis(owner, { ...secret(sentinelPassword), ...alike, isSentinel: true, lines: watching });
  const all = new TestSentinels([master, replica], await Promise.all([start(), start(), start()]));
  await all.form();
  return all;
}
