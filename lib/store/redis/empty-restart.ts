import { type Ask, isReplyError } from '../redis-client/link.ts';
import { isCommandRefused } from '../redis-client/refusals.ts';
import { runIdOf } from '../redis-client/protocol.ts';

/** Rounds of SCAN at most, of 1,000 keys each. A keyspace with more than that, whatever it is, is not empty. */
const MAX_ROUNDS = 100;

/** What an EmptyRestart is made of. */
export interface EmptyRestartParts {
  /** Before `frontend:`. */
  readonly prefix: string;
  /** After so long without routes the emptiness is believed, ms. */
  readonly maxStaleMs: number;
  /** The run that the routes known at the start are of; null when any will do. */
  readonly runId: string | null;
  /** Since when that one is gone, `performance.now()` ms; null when it was not. */
  readonly lostAt: number | null;
  /** Told once when a server has lost everything. */
  readonly onEmptied: () => void;
}

/**
 * Knows a Redis that has lost everything: another run than the one that served before, and not one frontend in it.
 * That is an outage, not the wish of an operator to route nothing.
 */
export class EmptyRestart {
  readonly #parts: EmptyRestartParts;
  #runId: string | null;
  /** Whether the run is one that this process was served by. */
  #isOwn = false;
  #isEmptied = false;
  readonly #lostAt: number;

  constructor(parts: EmptyRestartParts) {
    this.#parts = parts;
    this.#runId = parts.runId;
    this.#lostAt = parts.lostAt ?? performance.now();
  }

  /** The run whose routes are served; null when the server does not tell. */
  get runId(): string | null {
    return this.#runId;
  }

  /** The operator says that what Redis holds is meant. */
  believe(): void {
    this.#runId = null;
  }

  /** Why the server must not be asked for routes, or null. See `RedisLinkSettings.examine`. */
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
    return new Error('it was restarted and holds no frontend any more');
  }

  async #hasRoutes(ask: Ask): Promise<boolean> {
    // A prefix may hold signs that SCAN takes for patterns.
    const pattern = `${this.#parts.prefix.replace(/[*?[\]\\]/g, '\\$&')}frontend:*`;
    let cursor = '0';
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const reply = await unlessRefused(ask(['scan', cursor, 'match', pattern, 'count', '1000']));
      // Who may not look cannot tell.
      if (!Array.isArray(reply)) return true;
      const [next, keys]: unknown[] = reply;
      if (Array.isArray(keys) && keys.length > 0) return true;
      cursor = String(next);
      if (cursor === '0') return false;
    }
    return true;
  }
}

/** Null for a command that this user may not give, or this server does not know. */
async function unlessRefused(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    if (isReplyError(error) && (error.message.startsWith('ERR') || isCommandRefused(error))) return null;
    throw error;
  }
}
