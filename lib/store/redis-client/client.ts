import type { Command, Redis } from 'ioredis';
import type { Endpoint, RedisAddress } from '../../core/routing/redis-address.ts';
import { ioredis } from './ioredis.ts';
import { isReplyError } from './link.ts';
import { optionsFor, RETRY_MAX_MS } from './options.ts';
import { SentinelWatch } from './sentinel-watch.ts';
import type { RedisCommand } from './protocol.ts';

/** What a client tells of its connection. */
export interface RedisClientEvents {
  readonly onConnect: () => void;
  /** A connection was lost, or an attempt has failed; `cause` says why. The next attempt is under way. */
  readonly onClose: (cause: Error) => void;
  /** Something came on a channel that was subscribed to: text, or what else Redis sends there. */
  readonly onMessage?: (message: unknown) => void;
}

/** ioredis, narrowed: it connects again for ever, queues nothing, sends nothing twice, and emits no `error`. */
export class RedisClient {
  readonly #redis: Redis;
  /** Null unless sentinels name the server. */
  readonly #watch: SentinelWatch | null;
  readonly #handshakeMs: number;
  readonly #events: RedisClientEvents;
  #cause: Error = new Error('connection closed');
  #sentinelFault = '';
  /** The connection was made, but must not be used. */
  #isUnusable = false;
  #isClosed = false;
  /** The connection whose commands wait for the end of this tick. */
  #gathering: Redis['stream'] | null = null;

  /** @param handshakeMs limit for each command of the handshake */
  constructor(address: RedisAddress, handshakeMs: number, events: RedisClientEvents) {
    this.#events = events;
    this.#watch =
      address.place.type === 'sentinels' ? new SentinelWatch(address, handshakeMs, (to) => this.#switched(to)) : null;
    this.#handshakeMs = handshakeMs;
    const { Redis } = ioredis();
    this.#redis = new Redis(optionsFor(address, handshakeMs));
    this.#redis.on('ready', () => this.#connected());
    this.#redis.on('close', () => this.#lost());
    this.#redis.on('error', (error: Error) => this.#failed(error));
    this.#redis.on('end', () => this.#ended());
    // "message" would join a list with commas.
    if (events.onMessage) this.#redis.on('messageBuffer', (_channel, message: unknown) => events.onMessage?.(message));
    this.#redis.on('sentinelError', (error: Error) => {
      this.#sentinelFault = error.message;
    });
  }

  /** Sends a command. Rejects with what Redis replied, what `isTimeout` knows, or the loss of the connection. */
  send(command: RedisCommand, deadline: number): Promise<unknown> {
    this.#gather();
    return this.#redis.sendCommand(commandOf(command, deadline)) as Promise<unknown>;
  }

  /** Lets commands that are sent together leave as one packet: each write of its own costs a system call. */
  #gather(): void {
    const { stream } = this.#redis;
    if (stream === this.#gathering || !stream?.writable) return;
    this.#gathering = stream;
    stream.cork();
    process.nextTick(() => {
      this.#gathering = null;
      stream.uncork();
    });
  }

  /** Sends commands as one packet. An error that Redis replied stands among the replies; others reject. */
  async sendAll(commands: readonly RedisCommand[], deadline: number): Promise<readonly unknown[]> {
    const sent = commands.map((command) => this.send(command, deadline));
    const replies: unknown[] = [];
    for (const answer of await Promise.allSettled(sent)) {
      if (answer.status === 'rejected' && !isReplyError(answer.reason)) throw answer.reason;
      replies.push(answer.status === 'rejected' ? answer.reason : answer.value);
    }
    return replies;
  }

  /** Gives the connection up and makes another. */
  reconnect(): void {
    this.#redis.disconnect(true);
  }

  /** Frees the socket and the timers. What was sent and not answered is rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch?.close();
    const hasSocket = ['connecting', 'connect', 'ready'].includes(this.#redis.status);
    const ended = new Promise<void>((resolve) => this.#redis.once('end', () => resolve()));
    this.#redis.disconnect();
    if (hasSocket) await ended;
  }

  #connected(): void {
    if (this.#isUnusable) this.reconnect();
    else if (this.#watch) void this.#checkRole();
    else this.#events.onConnect();
  }

  /** The sentinels have another master now: asks them where, unless it is this one already. */
  #switched(to: Endpoint): void {
    const { stream, status } = this.#redis;
    // One that is being made may be to the old one: it is given up as soon as that can be done.
    if (status === 'connecting' || status === 'connect') this.#isUnusable = true;
    else if (status === 'ready' && (stream.remoteAddress !== to.host || stream.remotePort !== to.port)) {
      this.#cause = new Error('the sentinels have another master');
      this.reconnect();
    }
  }

  /** A sentinel may name a server that was the master a moment ago: asks the server itself, and then the sentinels again. */
  async #checkRole(): Promise<void> {
    const { stream } = this.#redis;
    const fault = await this.#faultOfRole();
    // Lost meanwhile: the next connection is checked on its own.
    if (stream !== this.#redis.stream || this.#redis.status !== 'ready') return;
    if (fault === null) {
      this.#events.onConnect();
    } else {
      this.#cause = fault;
      this.reconnect();
    }
  }

  async #faultOfRole(): Promise<Error | null> {
    try {
      const role = await this.send(['role'], performance.now() + this.#handshakeMs);
      if (Array.isArray(role) && role[0] === 'master') return null;
      return new Error('the server that the sentinels named is no master');
    } catch (error) {
      // A user without the right to ask takes the sentinels at their word; of other errors the pulse will tell.
      return isReplyError(error) ? null : new Error('the server that the sentinels named is silent', { cause: error });
    }
  }

  #lost(): void {
    this.#isUnusable = false;
    const cause = this.#cause;
    this.#cause = new Error('connection closed');
    this.#events.onClose(cause);
  }

  #failed(error: Error): void {
    this.#cause = error.message.startsWith('All sentinels are unreachable') ? this.#unnamed() : error;
    // ioredis goes on in database 0 when the one asked for does not exist: those would be another site's routes.
    if ('command' in error && isSelect(error.command)) this.#isUnusable = true;
  }

  /** What ioredis says of it speaks of retries, which are ours, and not of causes. */
  #unnamed(): Error {
    const faults = [this.#sentinelFault, this.#watch?.fault ?? ''].filter((fault) => fault !== '');
    return new Error(`no sentinel names the master: ${[...new Set(faults)].join('; ')}`);
  }

  #ended(): void {
    if (this.#isClosed) return;
    // ioredis gives up when a connection cannot even be tried. We never do.
    this.#lost();
    setTimeout(() => {
      if (!this.#isClosed) this.#redis.connect().catch(() => {});
    }, RETRY_MAX_MS).unref();
  }
}

/** Whether a command was not answered by its deadline. */
export function isTimeout(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Command timed out';
}

function isSelect(command: unknown): boolean {
  return typeof command === 'object' && command !== null && 'name' in command && command.name === 'select';
}

function commandOf([name, ...args]: RedisCommand, deadline: number): Command {
  const { Command } = ioredis();
  const command = new Command(name, args, { replyEncoding: 'utf8' });
  // ioredis' own limit is the same for every command; this one is what its task has left.
  command.setTimeout(Math.max(1, deadline - performance.now()));
  return command;
}
