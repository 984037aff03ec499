import { Redis } from 'ioredis';
import { slotOf, SLOTS } from '../../lib/store/redis-client/slots.ts';
import { eventually } from './eventually.ts';
import { type Owner, startRedis, type TestRedis, type TestRedisOptions } from './redis.ts';

/** How long nodes take to agree on a busy machine, ms. */
const PATIENCE_MS = 20_000;
/** After it a silent node counts as failed, ms: longer than a busy machine lets one wait. */
const NODE_TIMEOUT_MS = 2_500;

/** A real cluster on this machine; `replicas[i]` follows `masters[i]`. */
export class TestCluster {
  readonly masters: readonly TestRedis[];
  readonly replicas: readonly TestRedis[];

  constructor(masters: readonly TestRedis[], replicas: readonly TestRedis[]) {
    this.masters = masters;
    this.replicas = replicas;
  }

  get nodes(): readonly TestRedis[] {
    return [...this.masters, ...this.replicas];
  }

  /** The master that had a key's slot at the start. */
  masterOf(key: string): TestRedis {
    const master = this.masters[Math.floor(slotOf(key) / this.#share)];
    if (!master) throw new Error(`no master for ${key}`);
    return master;
  }

  /** A name that is served by a master, as it was at the start: `host(1, 'frontend:')`. */
  hostOn(place: number, prefix: string): string {
    for (let i = 0; ; i++) {
      if (this.masterOf(`${prefix}h${i}.test`) === this.masters[place]) return `h${i}.test`;
    }
  }

  /** Runs a command whose first argument is a key, on the node that has it. */
  async cli(name: string, key: string, ...args: (string | number)[]): Promise<unknown> {
    return await this.masterOf(key).cli(name, key, ...args);
  }

  /** Empties it. */
  async flush(): Promise<void> {
    for (const master of this.masters) await master.cli('flushall');
  }

  /** Makes one of them, and waits until all nodes agree. */
  async form(): Promise<void> {
    for (const [i, master] of this.masters.entries()) {
      const first = i * this.#share;
      const last = i === this.masters.length - 1 ? SLOTS : first + this.#share;
      await master.cli('cluster', 'addslots', ...Array.from({ length: last - first }, (_, at) => first + at));
    }
    for (const [i, node] of this.nodes.entries()) {
      await node.cli('cluster', 'set-config-epoch', i + 1);
      if (i > 0) await this.#first.cli('cluster', 'meet', '127.0.0.1', node.port);
    }
    await this.#agree(({ known, state }) => known === this.nodes.length && state === 'ok');
    for (const [i, replica] of this.replicas.entries()) {
      const id = String(await this.masters[i]?.cli('cluster', 'myid'));
      await eventually(() => replica.cli('cluster', 'replicate', id), PATIENCE_MS);
    }
    for (const replica of this.replicas) {
      await eventually(async () => {
        const info = String(await replica.cli('info', 'replication'));
        if (!info.includes('master_link_status:up')) throw new Error('not in step yet');
      }, PATIENCE_MS);
    }
    await eventually(async () => {
      for (const node of this.nodes) {
        const slots = (await node.cli('cluster', 'slots')) as readonly (readonly unknown[])[];
        const named = slots.reduce((sum, range) => sum + range.length - 2, 0);
        if (named !== this.nodes.length) throw new Error(`${named} nodes are named`);
      }
    }, PATIENCE_MS);
  }

  async #agree(isSo: (info: { known: number; state: string | undefined }) => boolean): Promise<void> {
    await eventually(async () => {
      for (const node of this.nodes) {
        const info = String(await node.cli('cluster', 'info'));
        const known = Number(/cluster_known_nodes:([0-9]+)/.exec(info)?.[1]);
        if (!isSo({ known, state: /cluster_state:(\w+)/.exec(info)?.[1] })) throw new Error(info);
      }
    }, PATIENCE_MS);
  }

  get #first(): TestRedis {
    const [first] = this.masters;
    if (!first) throw new Error('a cluster without masters');
    return first;
  }

  get #share(): number {
    return Math.floor(SLOTS / this.masters.length);
  }
}

/** Starts a cluster that ends with its owner. @param replicas 0, or one for each master */
export async function startCluster(
  owner: Owner,
  masters: number,
  replicas = 0,
  options: TestRedisOptions = {},
): Promise<TestCluster> {
  const lines = [
    'cluster-enabled yes',
    `cluster-node-timeout ${NODE_TIMEOUT_MS}`,
    'cluster-replica-validity-factor 0',
    'repl-diskless-sync-delay 0',
    ...(options.lines ?? []),
  ];
  const first = await startRedis(owner, { ...options, lines });
  const alike = { ...options, ...(options.tls && { certificates: first.certificates }), lines };
  const start = (count: number): Promise<readonly TestRedis[]> =>
    Promise.all(Array.from({ length: count }, () => startRedis(owner, alike)));
  const cluster = new TestCluster([first, ...(await start(masters - 1))], await start(replicas));
  await cluster.form();
  return cluster;
}

/** A subscriber to a channel on one node, as another router would be. */
export async function subscribe(owner: Owner, { port }: TestRedis, channel: string): Promise<Redis> {
  const subscriber = new Redis({ port, protocol: 2, disableClientInfo: true });
  subscriber.on('error', () => {});
  owner.after(async () => subscriber.disconnect());
  await subscriber.subscribe(channel);
  return subscriber;
}
