import { nameOfEndpoint } from '../../core/routing/redis-address.ts';
import {
  describe,
  isPulseRefused,
  isReplyError,
  PULSE_DOWN_MS,
  PULSE_MS,
  type RedisLink,
  type RedisLinkSettings,
  unavailable,
} from './link.ts';
import { type RedisNode, RedisNodes } from './nodes.ts';
import { SlotOwners } from './slot-owners.ts';
import { type Redirection, redirectionOf, slotOfCommand } from './slots.ts';
import { Turn } from '../turn.ts';
import type { RedisCommand } from './protocol.ts';

/** A command that is redirected more often goes in circles. */
const MAX_HOPS = 5;
/** Between two inspections that an error has caused, ms. */
const HURRY_MS = 100;

/**
 * A link to a cluster: a connection to each master, which detects whether that master replies. The commands of one turn
 * of the event loop to one node are sent as one packet. The slot map is read at the start, every few seconds, and soon
 * after a node was lost or has redirected a command.
 */
export class RedisCluster implements RedisLink {
  readonly isOneServer = false;
  readonly isSilent = false;
  readonly epoch = 0;
  readonly #settings: RedisLinkSettings;
  readonly #nodes: RedisNodes;
  readonly #owners: SlotOwners;
  readonly #first = new Turn();
  /** Ends when the slot map is known, or could not be read. */
  #look = new Turn();
  #lookedAt = -Infinity;
  #isLooking = false;
  #isUrgent = false;
  #timer: NodeJS.Timeout | undefined;
  #cause: Error = new Error('not connected yet');
  #announced: 'up' | 'down' | null = null;
  #isClosed = false;

  constructor(settings: RedisLinkSettings) {
    this.#settings = settings;
    this.#nodes = new RedisNodes(settings, () => this.#hurry());
    const { place } = settings.address;
    this.#owners = new SlotOwners(this.#nodes, place.type === 'cluster' ? place.nodes : []);
    void this.#beat();
  }

  ready(): Promise<void> {
    return this.#first.promise;
  }

  deadline(): number {
    return performance.now() + this.#settings.timeoutMs;
  }

  async send(command: RedisCommand, deadline: number): Promise<unknown> {
    const slot = slotOfCommand(command);
    let node = this.#nodeFor(slot) ?? (await this.#nodeOnceKnown(slot, deadline));
    let isForOnce = false;
    for (let hops = 0; ; hops++) {
      try {
        return await sendTo(node, command, isForOnce, deadline);
      } catch (error) {
        const redirection = isReplyError(error) ? redirectionOf(error, node.endpoint.host) : null;
        const next = redirection ? this.#follow(redirection) : await this.#successor(error, node, slot, deadline);
        if (next === null || hops >= MAX_HOPS) throw error;
        node = next;
        isForOnce = redirection?.isForOnce ?? false;
      }
    }
  }

  async sendAll(commands: readonly RedisCommand[], deadline: number): Promise<readonly unknown[]> {
    const sent = commands.map((command) => this.send(command, deadline));
    const replies: unknown[] = [];
    for (const answer of await Promise.allSettled(sent)) {
      if (answer.status === 'rejected' && !isReplyError(answer.reason)) throw answer.reason;
      replies.push(answer.status === 'rejected' ? answer.reason : answer.value);
    }
    return replies;
  }

  async servers(deadline: number): Promise<readonly string[]> {
    await this.#nodeOnceKnown(null, deadline);
    return this.#owners.masters.map(({ endpoint }) => nameOfEndpoint(endpoint)).toSorted();
  }

  async sendAt(server: string, command: RedisCommand, deadline: number): Promise<unknown> {
    await this.#nodeOnceKnown(null, deadline);
    const node = this.#owners.masters.find(({ endpoint }) => nameOfEndpoint(endpoint) === server);
    if (node === undefined) throw unavailable(`${server} is no longer a master of the cluster`);
    return await node.connection.send(command, deadline);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#look.end();
    this.#first.end();
    await this.#nodes.close();
  }

  /** Null when that is not known. */
  #nodeFor(slot: number | null): RedisNode | null {
    return this.#isClosed ? null : this.#owners.of(slot);
  }

  /** Waits for the first slot map. */
  async #nodeOnceKnown(slot: number | null, deadline: number): Promise<RedisNode> {
    // The map is known before all nodes are connected: a wait then would be one for the next map, after seconds.
    if (this.#announced === null && this.#nodeFor(slot) === null) await this.#look.endsBy(deadline);
    if (this.#isClosed) throw unavailable('the store is closed');
    const node = this.#nodeFor(slot);
    if (node !== null) return node;
    if (this.#owners.masters.length > 0) throw unavailable(`no node of the cluster serves slot ${slot}`);
    throw unavailable(describe(this.#cause), this.#cause);
  }

  #follow({ slot, to, isForOnce }: Redirection): RedisNode {
    const node = this.#nodes.at(to);
    if (!isForOnce) {
      this.#owners.move(slot, node);
      this.#hurry();
    }
    return node;
  }

  /** The node that has taken over a slot, if the cluster names one in time. */
  async #successor(error: unknown, node: RedisNode, slot: number | null, deadline: number): Promise<RedisNode | null> {
    if (isReplyError(error)) {
      if (error.message.startsWith('CLUSTERDOWN')) this.#hurry();
      return null;
    }
    this.#hurry();
    // The slot map was read after the node went down: there is no other node.
    if (node.down !== null && node.down.since < this.#owners.learnedAt) return null;
    await this.#look.endsBy(deadline);
    const next = this.#nodeFor(slot);
    return next === node || performance.now() >= deadline ? null : next;
  }

  /** Inspects the cluster soon. */
  #hurry(): void {
    this.#isUrgent = true;
    if (this.#isLooking || this.#isClosed) return;
    this.#schedule(Math.max(0, this.#lookedAt + HURRY_MS - performance.now()));
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#beat(), ms).unref();
  }

  /** Inspects the cluster, reports its state, and schedules the next inspection. */
  async #beat(): Promise<void> {
    this.#isLooking = true;
    this.#isUrgent = false;
    this.#lookedAt = performance.now();
    const fault = await this.#inspect();
    this.#isLooking = false;
    if (this.#isClosed) return;
    this.#first.end();
    this.#announce(fault);
    this.#schedule(this.#isUrgent ? HURRY_MS : fault === null ? PULSE_MS : PULSE_DOWN_MS);
  }

  /** What is wrong with the cluster; null when every slot is served. */
  async #inspect(): Promise<Error | null> {
    const fault = await this.#owners.learn(this.deadline());
    if (fault) this.#cause = fault;
    this.#look.end();
    this.#look = new Turn();
    if (fault) return fault;
    const { masters, hole } = this.#owners;
    await Promise.all(masters.map(({ connection }) => connection.ready()));
    for (const { endpoint, down } of masters) {
      if (down) return new Error(`${nameOfEndpoint(endpoint)}: ${describe(down.cause)}`, { cause: down.cause });
    }
    return hole === null ? await this.#pulse() : new Error(`no node of the cluster serves slot ${hole}`);
  }

  async #pulse(): Promise<Error | null> {
    try {
      this.#settings.onPulse(await this.send(this.#settings.pulse, this.deadline()));
      return null;
    } catch (error) {
      if (!isPulseRefused(error)) return error instanceof Error ? error : new Error(String(error));
      this.#settings.onPulse(null);
      return null;
    }
  }

  #announce(fault: Error | null): void {
    const state = fault === null ? 'up' : 'down';
    if (state === this.#announced) return;
    this.#announced = state;
    if (fault === null) this.#settings.onUp();
    else this.#settings.onDown(fault);
  }
}

async function sendTo(
  { connection }: RedisNode,
  command: RedisCommand,
  isForOnce: boolean,
  deadline: number,
): Promise<unknown> {
  if (!isForOnce) return await connection.send(command, deadline);
  const [, reply] = await connection.sendAll([['asking'], command], deadline);
  if (reply instanceof Error) throw reply;
  return reply;
}
