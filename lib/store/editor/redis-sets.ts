import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';
import { RedisSession } from '../redis-client/session.ts';
import { EditorError } from '../editor-error.ts';
import type { FrontendSet, SetChange } from './frontend-set.ts';
import { keysOfSet, readCommands, setsOf } from './redis-set-keys.ts';
import { argumentOf, isWritten, type SetWriting, WRITE_SET } from './redis-set-script.ts';
import { writeSetInCluster } from './redis-set-cluster.ts';
import { refusedBy } from './redis-stored-routes.ts';
import type { RedisRouteLog } from './redis-route-log.ts';

/** Frontends that are read or written together: Redis handles a packet of so many at once. */
const CHUNK = 50;

/** What RedisSets works with. */
export interface RedisSetsParts {
  readonly read: RedisLink;
  readonly write: RedisSession | RedisLink;
  /** The prefixes of keys of either. */
  readonly readPrefix: string;
  readonly writePrefix: string;
  readonly log: RedisRouteLog;
}

/** Reads and writes whole frontends in Redis, many in one packet. */
export class RedisSets {
  readonly #parts: RedisSetsParts;

  constructor(parts: RedisSetsParts) {
    this.#parts = parts;
  }

  /** @param isFresh from the server that takes edits: a replica may be late */
  async read(keys: readonly string[], isFresh: boolean): Promise<readonly FrontendSet[]> {
    const { readPrefix, writePrefix } = this.#parts;
    const sets: FrontendSet[] = [];
    for (let i = 0; i < keys.length; i += CHUNK) {
      const names = keys.slice(i, i + CHUNK).map((key) => keysOfSet(isFresh ? writePrefix : readPrefix, key));
      const commands = names.flatMap(readCommands);
      sets.push(...setsOf(names, await (isFresh ? this.#fresh(commands) : this.#stored(commands))));
    }
    return sets;
  }

  /** Writes each frontend in one step; in a cluster in one step for each key. @returns false for one that has changed */
  async write(changes: readonly SetChange[], writing: SetWriting): Promise<readonly boolean[]> {
    const { write, writePrefix, log } = this.#parts;
    const written: boolean[] = [];
    if (!(write instanceof RedisSession)) {
      for (const change of changes) {
        written.push(await writeSetInCluster(write, keysOfSet(writePrefix, change.key), change, writing, log));
      }
      return written;
    }
    for (let i = 0; i < changes.length; i += CHUNK) {
      written.push(...(await this.#writeChunk(write, changes.slice(i, i + CHUNK), writing)));
    }
    return written;
  }

  async #writeChunk(
    session: RedisSession,
    changes: readonly SetChange[],
    writing: SetWriting,
  ): Promise<readonly boolean[]> {
    const { writePrefix, log } = this.#parts;
    const hasLog = log.by !== null;
    const argsOf = (change: SetChange): readonly string[] => {
      const names = keysOfSet(writePrefix, change.key);
      const entry = log.entryOf(change);
      const keys = [names.list, names.dead, ...names.hashes, ...(names.path === null ? [] : [names.path.set])];
      if (entry !== null) keys.push(log.key);
      return [String(keys.length), ...keys, argumentOf(change, names, entry, writing)];
    };
    return await session.run(async (own) => {
      const replies = await own.sendAll(changes.map((change) => ['evalsha', WRITE_SET.sha, ...argsOf(change)]));
      const results: boolean[] = [];
      for (const [i, change] of changes.entries()) {
        let reply = replies[i];
        if (hasNoScript(reply)) reply = await sent(own.send(['eval', WRITE_SET.text, ...argsOf(change)]));
        // A user without the right to the log may still edit.
        if (isReplyError(reply) && hasLog && log.isRefused(reply)) {
          reply = await sent(own.send(['eval', WRITE_SET.text, ...argsOf(change)]));
        }
        if (isReplyError(reply)) throw refusedBy(reply);
        results.push(isWritten(reply, change));
      }
      return results;
    });
  }

  async #stored(commands: readonly RedisCommand[]): Promise<readonly unknown[]> {
    return await this.#parts.read.sendAll(commands, this.#parts.read.deadline());
  }

  async #fresh(commands: readonly RedisCommand[]): Promise<readonly unknown[]> {
    const { write } = this.#parts;
    if (!(write instanceof RedisSession)) return await write.sendAll(commands, write.deadline());
    try {
      return await write.run((own) => own.sendAll(commands));
    } catch (error) {
      // A connection that was idle for long may be dead without notice.
      if (!(error instanceof EditorError) || error.code !== 'store-unavailable') throw error;
      return await write.run((own) => own.sendAll(commands));
    }
  }
}

function hasNoScript(reply: unknown): boolean {
  return isReplyError(reply) && reply.message.startsWith('NOSCRIPT');
}

/** Redis' error reply as a value, as `sendAll` returns it. */
async function sent(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    if (isReplyError(error)) return error;
    throw error;
  }
}
