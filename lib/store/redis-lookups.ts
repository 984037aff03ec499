import { RouterError } from '../core/errors.ts';
import { MAX_LIST } from './limits.ts';
import { lookupCommands, lookupOfPipeline, lookupOfScript, type Lookup, repliesOfScript } from './redis-codec.ts';
import { isReplyError, type RedisLink } from './redis-link.ts';
import { LOOKUP, LOOKUP_SHA } from './redis-script.ts';
import type { StoreCounts } from './store-counts.ts';

/** Hosts in one run of the script, while which Redis does nothing else. */
const MAX_BATCH = 64;

/** A host's keys, and who waits for what they hold. */
interface Waiting {
  /** The candidates' keys, then the host's dead set. */
  readonly keys: readonly string[];
  readonly resolve: (lookup: Lookup) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads hosts' keys. What is asked for in one turn of the event loop leaves together at its end: as one command where
 * scripts run, else as one packet.
 */
export class RedisLookups {
  readonly #link: RedisLink;
  readonly #wantsExpiry: boolean;
  readonly #counts: StoreCounts;
  #waiting: Waiting[] = [];
  /** On which connection scripts were refused. */
  #scriptless = -1;

  /** @param wantsExpiry whether lookups say how long their keys live */
  constructor(link: RedisLink, wantsExpiry: boolean, counts: StoreCounts) {
    this.#link = link;
    this.#wantsExpiry = wantsExpiry;
    this.#counts = counts;
  }

  /**
   * What the first of the candidates' keys that counts holds.
   * @param keys the candidates' keys, most specific first, then the host's dead set
   * @throws RouterError `store-unavailable`, within the link's time limit
   */
  look(keys: readonly string[]): Promise<Lookup> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ keys, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const deadline = this.#link.deadline();
    for (let i = 0; i < waiting.length; i += MAX_BATCH) {
      const batch = waiting.length <= MAX_BATCH ? waiting : waiting.slice(i, i + MAX_BATCH);
      void this.#answer(batch, deadline);
    }
  }

  /** Settles all of them. Never rejects. */
  async #answer(batch: readonly Waiting[], deadline: number): Promise<void> {
    const { epoch, isOneServer } = this.#link;
    if (!isOneServer || this.#scriptless === epoch) return this.#answerWithoutScript(batch, deadline);
    const askedAt = performance.now();
    try {
      const replies = await this.#runScript(batch, deadline);
      this.#counts.answered(performance.now() - askedAt, batch.length);
      for (const [i, { resolve, reject }] of batch.entries()) {
        try {
          resolve(lookupOfScript(replies[i]));
        } catch (error) {
          this.#counts.errors++;
          reject(error instanceof RouterError ? error : refused(error));
        }
      }
    } catch (error) {
      if (isReplyError(error) && isScriptRefused(error)) {
        this.#scriptless = epoch;
        this.#answerWithoutScript(batch, deadline);
        return;
      }
      this.#counts.errors += batch.length;
      for (const { reject } of batch) reject(isReplyError(error) ? refused(error) : error);
    }
  }

  #answerWithoutScript(batch: readonly Waiting[], deadline: number): void {
    for (const { keys, resolve, reject } of batch) this.#readOne(keys, deadline).then(resolve, reject);
  }

  async #readOne(keys: readonly string[], deadline: number): Promise<Lookup> {
    const askedAt = performance.now();
    try {
      const replies = await this.#link.sendAll(lookupCommands(keys, this.#wantsExpiry), deadline);
      this.#counts.answered(performance.now() - askedAt, 1);
      return lookupOfPipeline(replies, this.#wantsExpiry);
    } catch (error) {
      this.#counts.errors++;
      throw isReplyError(error) ? refused(error) : error;
    }
  }

  async #runScript(batch: readonly Waiting[], deadline: number): Promise<readonly unknown[]> {
    const keys: string[] = [];
    const counts: string[] = [];
    for (const { keys: own } of batch) {
      keys.push(...own);
      counts.push(String(own.length));
    }
    const args = [String(keys.length), ...keys, String(MAX_LIST), this.#wantsExpiry ? 'ttl' : '', ...counts];
    return repliesOfScript(await this.#evaluate(args, deadline), batch.length);
  }

  async #evaluate(args: readonly string[], deadline: number): Promise<unknown> {
    try {
      return await this.#link.send(['evalsha', LOOKUP_SHA, ...args], deadline);
    } catch (error) {
      // A server that has restarted, or whose scripts were flushed. EVAL keeps the script for the next time.
      if (!isReplyError(error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#link.send(['eval', LOOKUP, ...args], deadline);
    }
  }
}

/** An error reply that is about the server: loading its data, out of memory, a right that is missing. */
export function refused(error: unknown): RouterError {
  const said = error instanceof Error ? error.message : String(error);
  return new RouterError('store-unavailable', `Redis does not serve: ${said}`, { cause: error });
}

function isScriptRefused({ message }: Error): boolean {
  return message.startsWith('NOPERM') || /^ERR unknown command/i.test(message);
}
