import type { RedisAddress } from '../../core/routing/redis-address.ts';
import { isTimeout, RedisClient } from './client.ts';
import { describe, isReplyError } from './link.ts';
import { Turn } from '../turn.ts';
import { EditorError } from '../editor-error.ts';
import type { RedisCommand } from './protocol.ts';

/** How many tasks may wait. */
const MAX_WAITING = 1000;

/** A connection that a task has for itself. Nothing is sent twice. */
export interface Session {
  /** Rejects with Redis' error reply (see `isReplyError`), or with an EditorError. */
  send(command: RedisCommand): Promise<unknown>;
  /** Sends commands as one packet. Error replies are among the results. */
  sendAll(commands: readonly RedisCommand[]): Promise<readonly unknown[]>;
}

/**
 * A separate connection for transactions. Tasks use it one after the other, and fail when it is lost. A RedisConnection
 * is not suitable: it sends commands again on the next connection, where nothing is watched.
 */
export class RedisSession {
  readonly #address: RedisAddress;
  readonly #timeoutMs: number;
  #client: RedisClient | null = null;
  /** The number of the connection; a task belongs to one. */
  #epoch = 0;
  #isUp = false;
  #turn = new Turn();
  #cause: Error = new Error('not connected yet');
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;

  /** Connects at the first task. @param timeoutMs limit of a task, with its time in the queue */
  constructor(address: RedisAddress, timeoutMs: number) {
    this.#address = address;
    this.#timeoutMs = timeoutMs;
  }

  /** Runs a task when its turn comes. @throws what it throws; EditorError when Redis cannot be used, or not in time */
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

  /** Closes the connection; a running task fails. Idempotent. */
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
      // The client's own event is still to come: until then no other task may use this connection.
      if (epoch === this.#epoch) this.#changed(false);
      if (!isTimeout(error)) throw lost(error);
      // Its reply may still come, and would be taken for another's.
      this.#client?.reconnect();
      throw new EditorError('store-unavailable', `Redis did not reply within ${this.#timeoutMs} ms`, { cause: error });
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
    // The first event may be the end of the earlier connection.
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
