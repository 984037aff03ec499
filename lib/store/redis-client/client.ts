import type { Command, Redis } from 'ioredis';
import type { Endpoint, RedisAddress } from '../../core/routing/redis-address.ts';
import { ioredis } from './ioredis.ts';
import { isReplyError } from './link.ts';
import { optionsFor, RETRY_MAX_MS } from './options.ts';
import { SentinelWatch } from './sentinel-watch.ts';
import type { RedisCommand } from './protocol.ts';

/** Events of a client's connection. */
export interface RedisClientEvents {
  readonly onConnect: () => void;
  /** A connection was lost, or an attempt has failed, for `cause`. The next attempt has started. */
  readonly onClose: (cause: Error) => void;
  /** A message of a subscribed channel: text, or another value that Redis sends there. */
  readonly onMessage?: (message: unknown) => void;
}

/** ioredis with fewer features: it reconnects for ever, queues nothing, sends nothing twice, and emits no `error`. */
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
  /** The connection whose commands are collected until the end of this tick. */
  #gathering: Redis['stream'] | null = null;

  /** @param handshakeMs limit of each command of the handshake */
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

  /**
   * Sends a command. Rejects with Redis' error reply, an error that `isTimeout` recognizes, or the loss of the
   * connection.
   */
  send(command: RedisCommand, deadline: number): Promise<unknown> {
    this.#gather();
    return this.#redis.sendCommand(commandOf(command, deadline)) as Promise<unknown>;
  }

  /** Sends the commands of one tick as one packet: each write costs a system call. */
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

  /** Sends commands as one packet. Error replies are among the results; other errors reject. */
  async sendAll(commands: readonly RedisCommand[], deadline: number): Promise<readonly unknown[]> {
    const sent = commands.map((command) => this.send(command, deadline));
    const replies: unknown[] = [];
    for (const answer of await Promise.allSettled(sent)) {
      if (answer.status === 'rejected' && !isReplyError(answer.reason)) throw answer.reason;
      replies.push(answer.status === 'rejected' ? answer.reason : answer.value);
    }
    return replies;
  }

  /** Closes the connection and makes another. */
  reconnect(): void {
    this.#redis.disconnect(true);
  }

  /** Frees the socket and the timers. Commands without a reply reject. */
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

  /** The sentinels have a new master: reconnects, unless this is it already. */
  #switched(to: Endpoint): void {
    const { stream, status } = this.#redis;
    // A connection in progress may lead to the old master: it is closed as soon as possible.
    if (status === 'connecting' || status === 'connect') this.#isUnusable = true;
    else if (status === 'ready' && (stream.remoteAddress !== to.host || stream.remotePort !== to.port)) {
      this.#cause = new Error('the sentinels name another master');
      this.reconnect();
    }
  }

  /** A sentinel may name a server that was the master a moment ago: checks the server's own role, and reconnects. */
  async #checkRole(): Promise<void> {
    const { stream } = this.#redis;
    const fault = await this.#faultOfRole();
    // Lost meanwhile: the next connection is checked by itself.
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
      return new Error('the server that the sentinels named is not a master');
    } catch (error) {
      // A user without permission for ROLE trusts the sentinels. The pulse detects other errors.
      return isReplyError(error)
        ? null
        : new Error('the server that the sentinels named does not reply', { cause: error });
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
    // If the database does not exist, ioredis continues in database 0, whose routes would be another installation's.
    if ('command' in error && isSelect(error.command)) this.#isUnusable = true;
  }

  /** ioredis' own message is about retries and has no cause. */
  #unnamed(): Error {
    const faults = [this.#sentinelFault, this.#watch?.fault ?? ''].filter((fault) => fault !== '');
    return new Error(`no sentinel names the master: ${[...new Set(faults)].join('; ')}`);
  }

  #ended(): void {
    if (this.#isClosed) return;
    // ioredis gives up when a connection cannot even be attempted; this client does not.
    this.#lost();
    setTimeout(() => {
      if (!this.#isClosed) this.#redis.connect().catch(() => {});
    }, RETRY_MAX_MS).unref();
  }
}

/** Whether a command had no reply by its deadline. */
export function isTimeout(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Command timed out';
}

function isSelect(command: unknown): boolean {
  return typeof command === 'object' && command !== null && 'name' in command && command.name === 'select';
}

function commandOf([name, ...args]: RedisCommand, deadline: number): Command {
  const { Command } = ioredis();
  const command = new Command(name, args, { replyEncoding: 'utf8' });
  // ioredis' own limit is the same for every command; this one is the rest of the task's time.
  command.setTimeout(Math.max(1, deadline - performance.now()));
  return command;
}
