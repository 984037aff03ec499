import type { RedisAddress } from '../../core/routing/redis-address.ts';
import { isTimeout, RedisClient } from './client.ts';
import { describe, isReplyError } from './link.ts';
import { Turn } from '../turn.ts';
import { EditorError } from '../editor-error.ts';
import type { RedisCommand } from './protocol.ts';

/** Tasks that wait for their turn at most. */
const MAX_WAITING = 1000;

/** What a task may do with the connection that it has for itself. Nothing is sent twice. */
export interface Session {
  /** Rejects with the error that Redis replied (see `isReplyError`), or with a EditorError. */
  send(command: RedisCommand): Promise<unknown>;
  /** Sends commands as one packet. An error that Redis replied stands among the replies. */
  sendAll(commands: readonly RedisCommand[]): Promise<readonly unknown[]>;
}

/**
 * A connection of its own for transactions: tasks have it one after the other, and a task that loses it fails. A
 * RedisConnection would not do: it sends again on the next connection, which does not know what was watched.
 */
export class RedisSession {
  readonly #address: RedisAddress;
  readonly #timeoutMs: number;
  #client: RedisClient | null = null;
  /** Which connection there is; a task belongs to one. */
  #epoch = 0;
  #isUp = false;
  #turn = new Turn();
  #cause: Error = new Error('not connected yet');
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;

  /** It connects when the first task comes. @param timeoutMs for a task, with its time in the queue */
  constructor(address: RedisAddress, timeoutMs: number) {
    this.#address = address;
    this.#timeoutMs = timeoutMs;
  }

  /** Runs a task when it is its turn. @throws what it throws; EditorError when Redis cannot be asked, or not in time */
  async run<T>(task: (session: Session) => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) throw new EditorError('busy', `${MAX_WAITING} edits are waiting already`);
    const deadline = performance.now() + this.#timeoutMs;
    this.#waiting++;
    const result = this.#tail.then(() => this.#do(task, deadline));
    this.#tail = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.#waiting--;
    }
  }

  /** A task under way fails. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#turn.end();
    await this.#client?.close();
  }

  async #do<T>(task: (session: Session) => Promise<T>, deadline: number): Promise<T> {
    await this.#connected(deadline);
    const epoch = this.#epoch;
    const check = (): RedisClient => {
      if (this.#client === null || epoch !== this.#epoch || this.#isClosed) throw lost(this.#cause);
      return this.#client;
    };
    return await task({
      send: (command) => this.#guard(epoch, () => check().send(command, deadline)),
      sendAll: (commands) => this.#guard(epoch, () => check().sendAll(commands, deadline)),
    });
  }

  async #guard<T>(epoch: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isReplyError(error) || error instanceof EditorError) throw error;
      // The client's own word for it is still to come: until then nobody else is to try this connection.
      if (epoch === this.#epoch) this.#changed(false);
      if (!isTimeout(error)) throw lost(error);
      // Its reply may still come, and would be taken for another's.
      this.#client?.reconnect();
      throw new EditorError('store-unavailable', `Redis gave no answer within ${this.#timeoutMs} ms`, { cause: error });
    }
  }

  async #connected(deadline: number): Promise<void> {
    this.#client ??= new RedisClient(this.#address, this.#timeoutMs, {
      onConnect: () => this.#changed(true),
      onClose: (cause) => {
        this.#cause = cause;
        this.#changed(false);
      },
    });
    // Of two attempts the first may be the end of the connection before.
    for (let ends = 0; ends < 2 && !this.#isUp && !this.#isClosed; ends++) await this.#turn.endsBy(deadline);
    if (this.#isClosed) throw new EditorError('store-unavailable', 'the editor is closed');
    if (!this.#isUp) throw new EditorError('store-unavailable', `Redis does not serve: ${describe(this.#cause)}`);
    if (performance.now() >= deadline) throw new EditorError('busy', 'other edits took too long');
  }

  #changed(isUp: boolean): void {
    this.#epoch++;
    this.#isUp = isUp;
    this.#turn.end();
    this.#turn = new Turn();
  }
}

function lost(cause: unknown): EditorError {
  return new EditorError('store-unavailable', 'the connection to Redis was lost', { cause });
}
