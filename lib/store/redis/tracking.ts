import type { RedisAddress } from '../../core/routing/redis-address.ts';
import { RedisClient } from '../redis-client/client.ts';
import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import { type RedisCommand, runIdOf } from '../redis-client/protocol.ts';

/** What a watch over Redis' keys tells: changes that were on their way also after `onEnd`. */
export interface TrackingEvents {
  /** From now on every change is told. */
  readonly onBegin: () => void;
  /** Changes may go by untold, until `onBegin`. */
  readonly onEnd: () => void;
  /** The list of a frontend or wildcard, or of one of its prefixes, has changed. */
  readonly onRoute: (key: string) => void;
  /** Its options, or which prefixes it has. */
  readonly onOptions: (key: string) => void;
  readonly onPrefixes: (key: string) => void;
  /** Its error pages. */
  readonly onPages: (key: string) => void;
  /** The dead marks of a host have changed. */
  readonly onDead: (frontend: string) => void;
  /** The certificate of a host or wildcard has changed. */
  readonly onCertificate: (key: string) => void;
  /** All keys are gone or others. */
  readonly onFlush: () => void;
  /** The server cannot be watched. Said once until it can. */
  readonly onRefused: (cause: Error) => void;
}

const CHANNEL = '__redis__:invalidate';
/** How often the connection that changes come by is asked whether it lives, ms. */
const PING_MS = 5000;
/** After a command that was not answered, or when the two connections led to two servers, ms. */
const RETRY_MS = 1000;

/** The second connection, as its server knows it. */
interface Listener {
  readonly id: string;
  readonly runId: string | null;
}

/**
 * Client side caching in the broadcasting mode of Redis 6 (https://redis.io/docs/latest/develop/reference/client-side-caching/):
 * the connection that reads is tracked, a second one is told what has changed. Tracking ends without a word with
 * either of them, so it is set up anew with every connection, and between two connections nothing is sure.
 */
export class RedisTracking {
  readonly #client: RedisClient;
  readonly #timeoutMs: number;
  /** What keys begin with, and who is told the rest. */
  readonly #kinds: ReadonlyMap<string, (key: string) => void>;
  readonly #events: TrackingEvents;
  /** The connection that reads, while it serves. */
  #reader: RedisLink | null = null;
  /** The second connection, once it listens. */
  #listener: Listener | null = null;
  /** Changes with each connection on either side: what was under way for the last one is void. */
  #turn = 0;
  #isOn = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #hasRefused = false;
  #pingTimer: NodeJS.Timeout | undefined;

  constructor(address: RedisAddress, timeoutMs: number, events: TrackingEvents) {
    this.#timeoutMs = timeoutMs;
    this.#kinds = new Map([
      [`${address.prefix}frontend:`, events.onRoute],
      [`${address.prefix}dead:`, events.onDead],
      [`${address.prefix}tls:`, events.onCertificate],
      [`${address.prefix}options:`, events.onOptions],
      [`${address.prefix}prefixes:`, events.onPrefixes],
      [`${address.prefix}errors:`, events.onPages],
    ]);
    this.#events = events;
    this.#client = new RedisClient(address, timeoutMs, {
      onConnect: () => void this.#listen(),
      onClose: () => this.#deaf(),
      onMessage: (message) => this.#hear(message),
    });
  }

  /** The connection that reads is a new one, and serves. */
  readerUp(reader: RedisLink): void {
    this.#reader = reader;
    void this.#begin();
  }

  /** The connection that reads was lost. */
  readerLost(): void {
    this.#reader = null;
    this.#end();
  }

  async close(): Promise<void> {
    this.#deaf();
    this.readerLost();
    await this.#client.close();
  }

  /** Asks to be told of changes on the second connection. */
  async #listen(): Promise<void> {
    try {
      const [id, info] = await Promise.all([this.#send(['client', 'id']), this.#send(['info', 'server'])]);
      await this.#send(['subscribe', CHANNEL]);
      this.#listener = { id: String(id), runId: runIdOf(info) };
    } catch (error) {
      this.#giveUp(error);
      return;
    }
    this.#ping();
    await this.#begin();
  }

  /** The second connection was lost. */
  #deaf(): void {
    clearTimeout(this.#pingTimer);
    this.#listener = null;
    this.#end();
  }

  /** Has the connection that reads tracked, when both are there. */
  async #begin(): Promise<void> {
    const [reader, listener] = [this.#reader, this.#listener];
    if (reader === null || listener === null) return;
    const turn = ++this.#turn;
    const prefixes = [...this.#kinds.keys()].flatMap((prefix) => ['prefix', prefix]);
    try {
      const [, reply, info] = await reader.sendAll(
        // What was tracked before collides with the same prefixes.
        [
          ['client', 'tracking', 'off'],
          ['client', 'tracking', 'on', 'redirect', listener.id, 'bcast', ...prefixes],
          ['info', 'server'],
        ],
        reader.deadline(),
      );
      if (turn !== this.#turn) return;
      if (isReplyError(reply)) this.#refused(reply);
      else if (isReplyError(info)) this.#refused(info);
      else if (listener.runId === null) this.#refused(new Error('it does not tell its run_id'));
      // An id is a small number: another server has a client of that name, too, and would tell that one.
      else if (runIdOf(info) !== listener.runId) this.#retry(() => this.#client.reconnect());
      else this.#succeed();
    } catch {
      if (turn === this.#turn) this.#retry(() => void this.#begin());
    }
  }

  #retry(what: () => void): void {
    this.#retryTimer = setTimeout(what, RETRY_MS).unref();
  }

  #succeed(): void {
    this.#hasRefused = false;
    this.#isOn = true;
    this.#events.onBegin();
  }

  #end(): void {
    this.#turn++;
    clearTimeout(this.#retryTimer);
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#events.onEnd();
  }

  /** @param message the keys that have changed, or null when all have */
  #hear(message: unknown): void {
    if (message === null) {
      this.#events.onFlush();
      return;
    }
    if (!Array.isArray(message)) return;
    for (const key of message) this.#tell(String(key));
  }

  #tell(key: string): void {
    for (const [prefix, told] of this.#kinds) if (key.startsWith(prefix)) told(key.slice(prefix.length));
  }

  #ping(): void {
    clearTimeout(this.#pingTimer);
    this.#pingTimer = setTimeout(() => {
      this.#send(['ping']).then(
        () => this.#ping(),
        (error: unknown) => this.#giveUp(error),
      );
    }, PING_MS).unref();
  }

  /** A connection that does not answer is given up; a server that refuses is asked again on the next connection. */
  #giveUp(error: unknown): void {
    if (isReplyError(error)) this.#refused(error);
    else this.#client.reconnect();
  }

  #refused(error: Error): void {
    // "The client ID you want redirect to does not exist": the second connection is lost, and we are about to hear of it.
    if (this.#hasRefused || error.message.includes('does not exist')) return;
    this.#hasRefused = true;
    this.#events.onRefused(error);
  }

  #send(command: RedisCommand): Promise<unknown> {
    return this.#client.send(command, performance.now() + this.#timeoutMs);
  }
}
