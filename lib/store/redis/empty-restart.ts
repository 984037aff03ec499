import { type Ask, isReplyError } from '../redis-client/link.ts';
import { isCommandRefused } from '../redis-client/refusals.ts';
import { runIdOf } from '../redis-client/protocol.ts';

/**
 * The maximum number of SCAN calls, of 1,000 keys each. A keyspace with more keys than that does not count as empty.
 */
const MAX_ROUNDS = 100;

/** What EmptyRestart needs. */
export interface EmptyRestartParts {
  /** The key prefix before `frontend:`. */
  readonly prefix: string;
  /** After so long without routes, ms, the empty server is trusted. */
  readonly maxStaleMs: number;
  /** The run that the routes known at the start come from; null when any will do. */
  readonly runId: string | null;
  /** When that run was lost, `performance.now()` ms; null when it was not. */
  readonly lostAt: number | null;
  /** Called once when a server has lost everything. */
  readonly onEmptied: () => void;
}

/**
 * Detects a Redis that has lost everything: another run than before, without a single frontend. That is an outage, not
 * an operator's wish to route nothing.
 */
export class EmptyRestart {
  readonly #parts: EmptyRestartParts;
  #runId: string | null;
  /** Whether this process has used the run. */
  #isOwn = false;
  #isEmptied = false;
  readonly #lostAt: number;

  constructor(parts: EmptyRestartParts) {
    this.#parts = parts;
    this.#runId = parts.runId;
    this.#lostAt = parts.lostAt ?? performance.now();
  }

  /** The run whose routes are used; null when the server does not tell. */
  get runId(): string | null {
    return this.#runId;
  }

  /** The operator confirms that Redis' content is intended. */
  believe(): void {
    this.#runId = null;
  }

  /** Why routes must not be read from the server, or null. See `RedisLinkSettings.examine`. */
  async examine(ask: Ask, downSince: number | null): Promise<Error | null> {
    const runId = runIdOf(await unlessRefused(ask(['info', 'server'])));
    const isOther = this.#runId !== null && runId !== null && runId !== this.#runId;
    const lostAt = this.#isOwn ? (downSince ?? performance.now()) : this.#lostAt;
    if (isOther && performance.now() - lostAt < this.#parts.maxStaleMs) {
      if (!(await this.#hasRoutes(ask))) return this.#emptied();
    }
    this.#runId = runId;
    this.#isOwn = true;
    this.#isEmptied = false;
    return null;
  }

  #emptied(): Error {
    if (!this.#isEmptied) this.#parts.onEmptied();
    this.#isEmptied = true;
    return new Error('it was restarted and has no frontends any more');
  }

  async #hasRoutes(ask: Ask): Promise<boolean> {
    // A prefix may contain pattern characters of SCAN.
    const pattern = `${this.#parts.prefix.replace(/[*?[\]\\]/g, '\\$&')}frontend:*`;
    let cursor = '0';
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const reply = await unlessRefused(ask(['scan', cursor, 'match', pattern, 'count', '1000']));
      // A user without permission to scan cannot tell.
      if (!Array.isArray(reply)) return true;
      const [next, keys]: unknown[] = reply;
      if (Array.isArray(keys) && keys.length > 0) return true;
      cursor = String(next);
      if (cursor === '0') return false;
    }
    return true;
  }
}

/** Null for a command that this user may not use, or this server does not support. */
async function unlessRefused(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    if (isReplyError(error) && (error.message.startsWith('ERR') || isCommandRefused(error))) return null;
    throw error;
  }
}
