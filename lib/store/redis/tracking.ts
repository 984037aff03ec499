import type { RedisAddress } from '../../core/routing/redis-address.ts';
import { SITE_HASHES } from '../../sites/hashes.ts';
import { RedisClient } from '../redis-client/client.ts';
import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import { type RedisCommand, runIdOf } from '../redis-client/protocol.ts';

/** Events of a watch over Redis' keys. Changes that were on their way may come after `onEnd`. */
export interface TrackingEvents {
  /** From now on every change is reported. */
  readonly onBegin: () => void;
  /** Changes may go unreported until `onBegin`. */
  readonly onEnd: () => void;
  /** The list of a frontend, a wildcard, or one of its prefixes has changed, or what its checks have shown. */
  readonly onRoute: (key: string) => void;
  /** Its options, header fields, or set of prefixes. */
  readonly onSite: (key: string) => void;
  readonly onPrefixes: (key: string) => void;
  /** Its error pages. */
  readonly onPages: (key: string) => void;
  /** The dead marks of a host, or its records of deaths, have changed. */
  readonly onDead: (frontend: string) => void;
  /** The certificate of a host or wildcard has changed. */
  readonly onCertificate: (key: string) => void;
  /** All keys were removed or replaced. */
  readonly onFlush: () => void;
  /** The server cannot be watched. Reported once until it can. */
  readonly onRefused: (cause: Error) => void;
}

const CHANNEL = '__redis__:invalidate';
/** How often the connection that receives changes is checked, ms. */
const PING_MS = 5000;
/** After a command without a reply, or when the two connections led to two servers, ms. */
const RETRY_MS = 1000;

/** The second connection, as its server identifies it. */
interface Listener {
  readonly id: string;
  readonly runId: string | null;
}

/**
 * Client side caching in Redis 6's broadcasting mode
 * (https://redis.io/docs/latest/develop/reference/client-side-caching/): the connection that reads is tracked, and a
 * second one receives changes. Tracking ends silently when either connection does, so it is set up again with every
 * connection, and all readings are invalid in between.
 */
export class RedisTracking {
  readonly #client: RedisClient;
  readonly #timeoutMs: number;
  /** The handler of the rest of a key, by the key's prefix. */
  readonly #kinds: ReadonlyMap<string, (key: string) => void>;
  readonly #events: TrackingEvents;
  /** The connection that reads, while it serves. */
  #reader: RedisLink | null = null;
  /** The second connection, once it listens. */
  #listener: Listener | null = null;
  /** Changes with each connection on either side; replies of an earlier turn are ignored. */
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
      [`${address.prefix}trial:`, events.onDead],
      [`${address.prefix}checked:`, events.onRoute],
      [`${address.prefix}down:`, events.onRoute],
      [`${address.prefix}tls:`, events.onCertificate],
      ...SITE_HASHES.map((hash) => [`${address.prefix}${hash}:`, events.onSite] as const),
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

  /** A new connection for reading serves. */
  readerUp(reader: RedisLink): void {
    this.#reader = reader;
    void this.#begin();
  }

  /** The connection for reading was lost. */
  readerLost(): void {
    this.#reader = null;
    this.#end();
  }

  async close(): Promise<void> {
    this.#deaf();
    this.readerLost();
    await this.#client.close();
  }

  /** Subscribes to changes on the second connection. */
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

  /** Starts tracking of the reading connection, when both connections are there. */
  async #begin(): Promise<void> {
    const [reader, listener] = [this.#reader, this.#listener];
    if (reader === null || listener === null) return;
    const turn = ++this.#turn;
    const prefixes = [...this.#kinds.keys()].flatMap((prefix) => ['prefix', prefix]);
    try {
      const [, reply, info] = await reader.sendAll(
        // Earlier tracking of the same prefixes would conflict.
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
      // An id is a small number: another server may have a client with the same id, which would get the changes.
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

  /** @param message the changed keys, or null for all */
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

  /**
   * Reconnects if the connection does not reply. If the server refuses, tracking is tried again on the next connection.
   */
  #giveUp(error: unknown): void {
    if (isReplyError(error)) this.#refused(error);
    else this.#client.reconnect();
  }

  #refused(error: Error): void {
    // "The client ID you want redirect to does not exist": the second connection was lost; its own event follows.
    if (this.#hasRefused || error.message.includes('does not exist')) return;
    this.#hasRefused = true;
    this.#events.onRefused(error);
  }

  #send(command: RedisCommand): Promise<unknown> {
    return this.#client.send(command, performance.now() + this.#timeoutMs);
  }
}
